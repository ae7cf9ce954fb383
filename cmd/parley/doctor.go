package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"parley/config"
	"parley/instance"
)

func (a *app) doctor() *cobra.Command {
	var asJSON bool
	var restore string
	var long strings.Builder
	long.WriteString("Look at data, configuration and connections, and say what is wrong and what to do.\n" +
		"Exit code 0 if nothing is wrong (a note is only worth knowing), 1 if something is. It works while serve runs.\n\n")
	for _, check := range instance.Checks() {
		fmt.Fprintf(&long, "  %-14s %s\n", check[0], check[1])
	}
	c := &cobra.Command{Use: "doctor", Short: "Check data, configuration and connections; say what is wrong and what to do", Long: long.String(), Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		if restore == "" && cmd.Flags().Changed("restore-test") {
			return &usageError{errors.New("--restore-test needs the file of a backup")}
		}
		found, err := a.diagnose(cmd, restore)
		if err != nil {
			return err
		}
		if asJSON {
			err = json.NewEncoder(os.Stdout).Encode(found)
		} else {
			printFindings(found)
		}
		if n := instance.Failed(found); err == nil && n > 0 {
			err = fmt.Errorf("doctor: problems found: %d", n)
		}
		return err
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON: a list of {check, state, text, remedy}")
	c.Flags().StringVar(&restore, "restore-test", "", "look at nothing but this backup: restore it into a temporary folder (TMPDIR), check it, say what is in it, remove the folder")
	return c
}

// diagnose looks at the instance, or at a backup alone where one is named. Without a
// configuration nothing else can be looked at.
func (a *app) diagnose(cmd *cobra.Command, restore string) ([]instance.Finding, error) {
	c, err := a.load()
	var bad *config.Error
	switch {
	case errors.As(err, &bad):
		return []instance.Finding{instance.Misconfigured(bad)}, nil
	case err != nil:
		return nil, err
	}
	c.Log.Level = "error" // what matters is in the findings
	if restore != "" {
		return instance.TryBackup(cmd.Context(), c, restore, logger(c), time.Now), nil
	}
	return instance.Diagnose(cmd.Context(), c, logger(c), time.Now), nil
}

func printFindings(found []instance.Finding) {
	for _, f := range found {
		fmt.Println(strings.TrimSpace(fmt.Sprintf("%-8s %-13s %s", f.State, f.Check, f.Text)))
		if f.Remedy != "" {
			fmt.Printf("%22s %s\n", "->", f.Remedy)
		}
	}
}
