// Command release builds what is given away: one binary for each system, statically
// linked and the same to the bit wherever the same Go builds the same source; what is in
// each (CycloneDX); the licences of all of it; and the sums.
//
//	go run ./deploy/release [-out dist] [linux/amd64 ...]
//
// It fails for a licence that it does not know, or that asks more of who passes the
// binary on than to keep the notice and, for MPL, to name the source.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// targets are the systems that binaries are made for, as GOOS/GOARCH.
var targets = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64"}

func main() {
	out := flag.String("out", "dist", "folder to write to; what is in it goes")
	flag.Parse()
	chosen := flag.Args()
	if len(chosen) == 0 {
		chosen = targets
	}
	if err := release(".", *out, chosen); err != nil {
		fmt.Fprintln(os.Stderr, "release: "+err.Error())
		os.Exit(1)
	}
}

// release builds the source in root for each target, into out.
func release(root, out string, targets []string) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	text, err := licences(root, targets)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "LICENSES.txt"), []byte(text), 0o644); err != nil {
		return err
	}
	lister, err := sbomTool(root)
	if err != nil {
		return err
	}
	defer os.RemoveAll(filepath.Dir(lister)) //nolint:errcheck // a temporary folder
	for _, target := range targets {
		binary := filepath.Join(out, name(target))
		if err := build(root, target, binary); err != nil {
			return err
		}
		if err := sbom(lister, binary); err != nil {
			return err
		}
	}
	return sums(out)
}

// name of the binary for a target.
func name(target string) string {
	n := "parley-" + strings.ReplaceAll(target, "/", "-")
	if strings.HasPrefix(target, "windows/") {
		n += ".exe"
	}
	return n
}

// environ is the surroundings of every build: the system, and nothing of this machine's
// settings that would change what comes out.
func environ(target string) []string {
	system, machine, _ := strings.Cut(target, "/")
	return append(os.Environ(), "GOOS="+system, "GOARCH="+machine, "CGO_ENABLED=0",
		"GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT=", "GOWORK=off")
}

// build makes the binary for a target.
func build(root, target, binary string) error {
	// Neither folders nor the state of the repository, symbols nor a build's own number.
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", binary, "./cmd/parley")
	c.Dir, c.Env = root, environ(target)
	return run(c)
}

// sbomTool builds cyclonedx-gomod, in the version that deploy/sbom/go.sum holds, into a
// temporary folder of its own.
func sbomTool(root string) (string, error) {
	dir, err := os.MkdirTemp("", "parley-release")
	if err != nil {
		return "", err
	}
	tool := filepath.Join(dir, "cyclonedx-gomod")
	c := exec.Command("go", "build", "-o", tool, "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod")
	c.Dir = filepath.Join(root, "deploy", "sbom")
	return tool, run(c)
}

// sbom lists what is in a binary beside it, as CycloneDX, without time or serial number,
// which would differ each time.
func sbom(tool, binary string) error {
	return run(exec.Command(tool, "bin", "-json", "-noserial", "-notimestamp", "-std", "-output", strings.TrimSuffix(binary, ".exe")+".cdx.json", binary))
}

// sums writes the SHA-256 of every file in a folder, as sha256sum -c reads it.
func sums(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var out strings.Builder
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%x  %s\n", sha256.Sum256(data), e.Name())
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(out.String()), 0o644)
}

// run runs a command; what it said is part of the error.
func run(c *exec.Cmd) error {
	if text, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, text)
	}
	return nil
}
