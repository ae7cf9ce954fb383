// Command parley runs and administers an instance. Commands and flags live here,
// nothing else: no SQL, no HTTP.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"parley/config"
	"parley/instance"
	"parley/instance/demo"
)

// Exit codes: done, failed, used wrongly.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	err := root.ExecuteContext(ctx)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "parley: "+err.Error())
	var bad *config.Error
	var usage *usageError
	if errors.As(err, &bad) || errors.As(err, &usage) || strings.HasPrefix(err.Error(), "unknown command") {
		os.Exit(exitUsage)
	}
	os.Exit(exitFailed)
}

// usageError is a mistake in the command line.
type usageError struct{ error }

// app is what all commands share.
type app struct {
	config string
	flags  map[string]*string
}

func newRoot() *cobra.Command {
	a := &app{flags: map[string]*string{}}
	root := &cobra.Command{Use: "parley", Short: "A federated social server for companies", SilenceUsage: true, SilenceErrors: true}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.PersistentFlags().StringVar(&a.config, "config", "", "configuration file (default parley.yaml, if it is there)")
	a.flag(root, "data", "data_dir", "folder for the database, files and keys")
	root.AddCommand(a.serve(), demoCommand(), a.account(), a.token(), a.peer(), a.delivery(), a.setupLink(), a.backup(), a.restore(), a.doctor(), a.showConfig(), version())
	return root
}

// flag declares a flag that sets a configuration key.
func (a *app) flag(c *cobra.Command, name, key, help string) {
	v := c.PersistentFlags().String(name, "", help)
	a.flags[key] = v
}

func (a *app) load() (*config.Config, error) {
	set := map[string]string{}
	for key, v := range a.flags {
		if *v != "" {
			set[key] = *v
		}
	}
	return config.Load(a.config, set, os.Environ())
}

func logger(c *config.Config) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		level = slog.LevelInfo // config.Load has checked the value
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

// open opens the instance for one command.
func (a *app) open(cmd *cobra.Command, run func(ctx context.Context, in *instance.Instance) error) (err error) {
	c, err := a.load()
	if err != nil {
		return err
	}
	c.Log.Level = "warn"
	in, err := instance.Open(cmd.Context(), c, logger(c), time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return run(cmd.Context(), in)
}

func (a *app) serve() *cobra.Command {
	c := &cobra.Command{Use: "serve", Short: "Run the instance", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		c, err := a.load()
		if err != nil {
			return err
		}
		ctx := cmd.Context()
		in, err := instance.Open(ctx, c, logger(c), time.Now)
		if err != nil {
			return err
		}
		defer func() { _ = in.Close() }() // the process ends
		addr, unlock, err := in.Listen()
		if err != nil {
			return err
		}
		defer unlock()
		fmt.Printf("Parley %s serves %s (listening on %s, data in %s)\n", instance.Version, c.PublicURL, addr, c.DataDir)
		if err := printSetup(ctx, in); err != nil {
			return err
		}
		return in.Run(ctx)
	}}
	a.flag(c, "listen", "listen", "address and port to listen on")
	a.flag(c, "domain", "domain", "the part of handles after the @; fixed at the first start")
	return c
}

// printSetup shows how to become the administrator while there is none.
func printSetup(ctx context.Context, in *instance.Instance) error {
	done, err := in.Social.SetUp(ctx)
	if err != nil || done {
		return err
	}
	link, expires, err := in.Auth.SetupLink(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\nOpen this link to set the instance up. Whoever opens it becomes the administrator;\nit works once, until %s:\n\n  %s/setup?code=%s\n\n",
		expires.Format("2006-01-02 15:04"), in.Config.PublicURL, link)
	if in.Config.Trial() && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		fmt.Printf("No screen here? From your own machine: ssh -L 8080:%s <this server>, then open the link.\n\n", in.Config.Listen)
	}
	return nil
}

func (a *app) setupLink() *cobra.Command {
	return &cobra.Command{Use: "setup-link", Short: "Print a one-time link for the first administrator", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			done, err := in.Social.SetUp(ctx)
			if err == nil && done {
				err = errors.New("this instance is set up already; use: parley account reset-link NAME")
			}
			if err != nil {
				return err
			}
			return printSetup(ctx, in)
		})
	}}
}

// args makes a wrong number of arguments a usage error.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if err := check(cmd, given); err != nil {
			return &usageError{fmt.Errorf("%w; see parley %s --help", err, cmd.Name())}
		}
		return nil
	}
}

func demoCommand() *cobra.Command {
	var o demo.Options
	var check bool
	c := &cobra.Command{Use: "demo", Short: "Run two sisters and a partner on this machine, with a tour", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		o.Out = os.Stdout
		return demo.Run(cmd.Context(), o, func(ctx context.Context, d *demo.Demo) error {
			if check {
				return d.Check(ctx)
			}
			fmt.Printf("Open %s (Ctrl-C ends the demo)\n", d.URL())
			<-ctx.Done()
			return nil
		})
	}}
	c.Flags().StringVar(&o.Dir, "dir", "", "keep the data here (default: nothing is left behind)")
	c.Flags().IntVar(&o.Port, "port", 8081, "port of the start page")
	c.Flags().BoolVar(&check, "check", false, "run the tour without a browser and exit 0 or 1")
	return c
}

func version() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: args(cobra.NoArgs), RunE: func(*cobra.Command, []string) error {
		fmt.Println(instance.Version)
		return nil
	}}
}

func (a *app) showConfig() *cobra.Command {
	return &cobra.Command{Use: "config", Short: "Print the configuration in effect", Args: args(cobra.NoArgs), RunE: func(*cobra.Command, []string) error {
		c, err := a.load()
		if err == nil {
			fmt.Print(c.Effective())
		}
		return err
	}}
}
