// Command parley runs and administers an instance. Commands and flags live here,
// nothing else: no SQL, no HTTP.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // people choose a zone, also where the machine knows none

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/coreos/go-systemd/v22/journal"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"parley/config"
	"parley/instance"
	"parley/instance/demo"
	"parley/social"
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
	var refused *social.Error
	switch {
	case errors.As(err, &bad), errors.As(err, &usage), errors.As(err, &refused) && refused.Kind == social.Invalid:
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
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().StringVar(&a.config, "config", "", "configuration file (default parley.yaml, else "+config.SystemFile+", if it is there)")
	a.flag(root, "data", "data_dir", "folder for the database, files and keys")
	root.AddCommand(a.serve(), demoCommand(), a.account(), a.groupCommand(), a.token(), a.peer(), a.delivery(), a.audit(), a.policy(), a.domain(), a.setupLink(), a.backup(), a.restore(), a.doctor(), a.health(), a.service(), a.showConfig(), version())
	for _, c := range append(root.Commands(), root) {
		if c.HasSubCommands() {
			group(c)
		}
	}
	return root
}

// group makes a command that only holds others tell what they are, and name the
// nearest one for a mistaken word.
func group(c *cobra.Command) {
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(cmd *cobra.Command, given []string) error {
		if len(given) == 0 {
			return cmd.Help()
		}
		var names []string
		for _, sub := range cmd.Commands() {
			names = append(names, sub.Name())
		}
		return &usageError{fmt.Errorf("unknown command %q; did you mean %s %s? See %s --help", given[0], cmd.CommandPath(), config.Nearest(given[0], names), cmd.CommandPath())}
	}
}

// flagError names the nearest flag for a mistaken one.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1 {
		names := []string{"help"}
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		err = fmt.Errorf("unknown flag --%s; did you mean --%s?", unknown.GetSpecifiedName(), config.Nearest(unknown.GetSpecifiedName(), names))
	}
	return &usageError{fmt.Errorf("%w See %s --help", err, cmd.CommandPath())}
}

// flag declares a flag that sets a configuration key.
func (a *app) flag(c *cobra.Command, name, key, help string) {
	v := c.PersistentFlags().String(name, "", help)
	a.flags[key] = v
}

// set lists the configuration keys given as flags.
func (a *app) set() map[string]string {
	set := map[string]string{}
	for key, v := range a.flags {
		if *v != "" {
			set[key] = *v
		}
	}
	return set
}

func (a *app) load() (*config.Config, error) { return config.Load(a.config, a.set(), os.Environ()) }

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
		if !inJournal() {
			if err := printSetup(ctx, in); err != nil {
				return err
			}
		}
		in.Ready = func() { tellSystemd(daemon.SdNotifyReady) }
		defer context.AfterFunc(ctx, func() { tellSystemd(daemon.SdNotifyStopping) })()
		return in.Run(ctx)
	}}
	a.flag(c, "listen", "listen", "address and port to listen on")
	a.flag(c, "domain", "domain", "the part of handles after the @; fixed at the first start")
	return c
}

// inJournal says that what is printed is kept in the journal. What the environment says
// alone does not count: on a desktop whoever opens a terminal inherits it.
func inJournal() bool {
	out, _ := journal.StdoutIsJournalStream() // an error means that there is none
	problems, _ := journal.StderrIsJournalStream()
	return out || problems
}

// tellSystemd says where the start or the end stands, if systemd waits for it.
func tellSystemd(state string) { _, _ = daemon.SdNotify(false, state) }

// printSetup shows how to become the administrator while there is none. What a service
// prints is kept in the journal for many to read: there the link is not shown.
func printSetup(ctx context.Context, in *instance.Instance) error {
	done, err := in.Social.SetUp(ctx)
	if err != nil || done {
		return err
	}
	code, expires, err := in.Auth.SetupLink(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "\nOpen this link to set the instance up. Whoever opens it becomes the administrator.")
	printLink(in, "/setup?code="+code, expires)
	return nil
}

// printLink writes a one-time link alone to standard output, so that it can be
// piped, and what to know about it to standard error. It never goes through the log.
func printLink(in *instance.Instance, path string, expires time.Time) {
	fmt.Fprintf(os.Stderr, "It works once, until %s; a newer one makes it void.\n", expires.Local().Format("2006-01-02 15:04 MST"))
	if in.Config.Trial() && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		_, port, err := net.SplitHostPort(in.Config.Domain)
		if err != nil {
			port = "80"
		}
		fmt.Fprintf(os.Stderr, "No browser on this machine? From yours: ssh -L %s:%s <this server>, then open the link there.\n", port, in.Config.Listen)
	}
	fmt.Fprintln(os.Stderr)
	fmt.Println(in.Config.PublicURL + path)
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

// domain gives a trial its real name.
func (a *app) domain() *cobra.Command {
	var publicURL string
	c := &cobra.Command{Use: "domain", Short: "The name of this instance"}
	set := &cobra.Command{Use: "set HOST", Short: "Give an instance that no other server has met its domain", Args: args(cobra.ExactArgs(1)), RunE: func(cmd *cobra.Command, given []string) error {
		set := a.set()
		set["domain"], set["public_url"] = given[0], publicURL
		c, err := config.Load(a.config, set, os.Environ())
		if err != nil {
			return err
		}
		if err := instance.Rename(cmd.Context(), c, logger(c), time.Now); err != nil {
			return err
		}
		fmt.Printf("This instance is now %s, at %s.\n", c.Domain, c.PublicURL)
		fmt.Fprintf(os.Stderr, "Next: write \"domain: %s\" into parley.yaml, let %s reach this machine (tls.cert and tls.key, or a proxy), and start parley serve.\n", c.Domain, c.PublicURL)
		return nil
	}}
	set.Flags().StringVar(&publicURL, "public-url", "", "origin of every address (default https://HOST)")
	c.AddCommand(set)
	return c
}

// args makes a wrong number of arguments a usage error.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if err := check(cmd, given); err != nil {
			return &usageError{fmt.Errorf("%w; use: %s", err, cmd.UseLine())}
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
			kept := "nothing is left behind"
			if o.Dir != "" {
				kept = "the data stays in " + o.Dir
			}
			fmt.Printf("Open %s in a browser: people, three windows side by side, and a tour.\nCtrl-C ends the demo; %s.\n", d.URL(), kept)
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
