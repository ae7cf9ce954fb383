package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"parley/config"
	"parley/deploy"
)

// service installs Parley on this machine.
func (a *app) service() *cobra.Command {
	c := &cobra.Command{Use: "service", Short: "Run Parley as a service of this machine, by systemd"}
	var domain string
	var noStart bool
	install := &cobra.Command{Use: "install", Short: "Install program, user, configuration and unit, and start them; again for a new version", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			program, err := os.Executable()
			if err != nil {
				return err
			}
			s := deploy.Service{Program: program, Start: !noStart, Out: os.Stdout}
			if _, err := os.Stat(deploy.ConfigFile); errors.Is(err, fs.ErrNotExist) {
				if domain == "" {
					return &usageError{errors.New("--domain HOST is needed: handles end in it, and it stays; or write " + deploy.ConfigFile + " first")}
				}
				s.Config = fmt.Sprintf("# Every key, with its meaning: README.md. What is in effect: parley config\ndomain: %s\ndata_dir: %s\n", domain, deploy.DataDir)
			} else if domain != "" {
				return &usageError{fmt.Errorf("%s says which domain it is; leave --domain out, or change the file", deploy.ConfigFile)}
			}
			if s.DataDir, err = dataOf(s.Config, domain); err != nil {
				return err
			}
			return s.Install(cmd.Context())
		}}
	install.Flags().StringVar(&domain, "domain", "", "the part of handles after the @, for a new configuration")
	install.Flags().BoolVar(&noStart, "no-start", false, "install without starting")
	uninstall := &cobra.Command{Use: "uninstall", Short: "End the service and remove its unit; data and configuration stay", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return deploy.Uninstall(cmd.Context(), os.Stdout) }}
	unit := &cobra.Command{Use: "unit", Short: "Print the unit", Args: args(cobra.NoArgs), RunE: func(*cobra.Command, []string) error {
		_, err := os.Stdout.Write(deploy.Unit)
		return err
	}}
	c.AddCommand(install, uninstall, unit)
	return c
}

// dataOf is the data folder that the service will have, of a configuration that is right.
func dataOf(fresh, domain string) (string, error) {
	file, flags := deploy.ConfigFile, map[string]string{}
	if fresh != "" {
		file, flags = os.DevNull, map[string]string{"domain": domain, "data_dir": deploy.DataDir}
	}
	conf, err := config.Load(file, flags, nil)
	if err != nil {
		return "", err
	}
	if !filepath.IsAbs(conf.DataDir) {
		return "", &config.Error{Key: "data_dir", Hint: "write the whole path for a service, such as " + deploy.DataDir}
	}
	return conf.DataDir, nil
}
