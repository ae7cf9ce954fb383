package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

const (
	containerPage = "deploy-containers.md"
	imageUser     = "65532:65532"
)

// engine is podman, as far as it goes here; see the file podman.
type engine struct {
	*testing.T
	env []string
	dir string // where its commands are given
}

// newEngine gives commands of a page a podman that builds in this machine's place of the
// image golang, which cannot be fetched everywhere.
func newEngine(t *testing.T) *engine {
	t.Helper()
	if testing.Short() {
		t.Skip("building an image takes a minute")
	}
	if os.Geteuid() != 0 {
		t.Skip("containers are made and run as root here")
	}
	for _, tool := range []string{"podman", "unshare", "nsenter", "setpriv", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	root, err := filepath.Abs("../..")
	ok(t, err)
	dir := t.TempDir()
	podman, err := exec.LookPath("podman")
	ok(t, err)
	// podman wants this one to have less than 50 letters, which the folder of a test has not.
	run, err := os.MkdirTemp("", "podman")
	ok(t, err)
	t.Cleanup(func() { ok(t, os.RemoveAll(run)) })
	podman += fmt.Sprintf(" --root %s --runroot %s --storage-driver vfs --cgroup-manager cgroupfs", filepath.Join(dir, "store"), run)
	goes, err := exec.Command("go", "env", "GOROOT", "GOMODCACHE", "GOCACHE").Output()
	ok(t, err)
	in := strings.Fields(string(goes))
	build := fmt.Sprintf("--layers=false --isolation chroot --network host --volume /usr:/usr:ro --volume %s:/goroot:ro --volume %s:/go/pkg/mod --volume %s:/gocache", in[0], in[1], in[2])
	bin := filepath.Join(dir, "bin")
	ok(t, os.MkdirAll(bin, 0o755))
	ok(t, os.Symlink(filepath.Join(root, "test", "deploy", "podman"), filepath.Join(bin, "podman")))
	e := &engine{T: t, dir: root, env: append(os.Environ(), "PODMAN="+podman, "BUILD="+build, "HERE="+dir, "PATH="+bin+":"+os.Getenv("PATH"))}
	t.Cleanup(func() { // what runs, and the mounts of the store, would keep the folder from going
		_ = exec.Command("sh", "-c", "kill $(cat "+dir+"/parley.pid); "+podman+" umount --all; "+podman+" rm --all --force; "+podman+" rmi --all --force").Run()
	})
	e.do(`base=$HERE/base
mkdir -p $base/usr $base/tmp $base/gocache $base/etc/ssl/certs $base/proc $base/dev $base/sys $base/go $base/goroot
for l in bin sbin lib lib64; do ln -s usr/$l $base/$l; done
cp -L /etc/ssl/certs/ca-certificates.crt $base/etc/ssl/certs/
cp -L /etc/resolv.conf /etc/hosts /etc/passwd /etc/group $base/etc/
tar -C $base -c . | podman import --change "ENV PATH=/goroot/bin:/usr/bin:/bin" --change "ENV GOPATH=/go" --change "ENV GOCACHE=/gocache" --change "ENV HOME=/tmp" - docker.io/library/golang:1.26-bookworm`)
	return e
}

// do runs lines of a shell and gives what they say.
func (e *engine) do(lines string) string {
	e.Helper()
	c := exec.Command("sh", "-ec", lines)
	c.Dir, c.Env = e.dir, e.env
	out, err := c.CombinedOutput()
	if err != nil {
		e.Fatalf("%s\n%v\n%s", lines, err, out)
	}
	return string(out)
}

// await waits until the server in the container answers /healthz.
func (e *engine) await() {
	e.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		c := exec.Command("sh", "-c", "podman exec parley /parley health")
		c.Env = e.env
		if c.Run() == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	e.Fatalf("it does not come alive:\n%s", e.do("podman logs parley"))
}

// What the page about containers says is done, in its order: an image is built, started,
// backed up and replaced by the next, and who was there stays.
func TestContainers(t *testing.T) {
	e := newEngine(t)
	said := ""
	for _, b := range read(t, containerPage) {
		if b.place == "compose" {
			ok(t, exec.Command("sh", "-nc", b.text).Run())
			continue
		}
		for line := range strings.Lines(b.text) {
			if line == "podman exec parley /parley health\n" {
				e.await()
			}
			said = e.do(line)
			if strings.HasPrefix(line, "podman run ") {
				e.await()
			}
		}
		if b.place == "build" {
			e.image()
		}
	}
	if !strings.Contains(said, "alice") {
		t.Errorf("after the change of containers: %s", said)
	}
	e.confined()
	e.do("podman restart parley")
	e.await()
	if said = e.do("podman exec parley /parley account list"); !strings.Contains(said, "alice") {
		t.Errorf("after a restart: %s", said)
	}
	e.do("podman stop parley; rm backup.parley")
}

// image looks at what was built.
func (e *engine) image() {
	e.Helper()
	got := strings.TrimSpace(e.do(`podman image inspect --format '{{.Config.User}} {{.Config.Entrypoint}} {{.Config.Cmd}} {{.Config.Volumes}} {{.Config.WorkingDir}} {{.Config.Healthcheck.Test}}' parley`))
	if want := imageUser + " [/parley] [serve] map[/data:{}] /data [CMD /parley health]"; got != want {
		e.Errorf("the image is %s, want %s", got, want)
	}
	files := strings.Fields(e.do(`cd $($PODMAN image mount parley); find . -type f | sort`))
	if want := []string{"./etc/ssl/certs/ca-certificates.crt", "./parley", "./usr/share/doc/parley/LICENSES.txt", "./usr/share/doc/parley/parley.cdx.json"}; !slices.Equal(files, want) {
		e.Errorf("in the image are %v", files)
	}
}

// confined looks at the running process: whose it is, and where it may write.
func (e *engine) confined() {
	e.Helper()
	status := e.do(`cat /proc/$(cat $HERE/parley.pid)/status`)
	for _, want := range []string{"Uid:\t65532\t65532\t65532\t65532", "Gid:\t65532\t65532\t65532\t65532", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1"} {
		if !strings.Contains(status, want) {
			e.Errorf("the process lacks %q", want)
		}
	}
	if got := strings.TrimSpace(e.do(`awk '{ print $5, $6 }' /proc/$(cat $HERE/parley.pid)/mountinfo | grep -E '^/(data)? ' | cut -d, -f1`)); got != "/ ro\n/data rw" {
		e.Errorf("what it may write: %q", got)
	}
	if out := e.do("podman logs parley"); !strings.Contains(out, "serves https://social.example.org (listening on [::]:8080, data in /data/parley)") {
		e.Errorf("it says %s", out)
	}
}

// Both languages do the same in containers.
func TestBothContainerPagesSayTheSame(t *testing.T) {
	if english, german := read(t, containerPage), read(t, "aufstellen-container.md"); !slices.Equal(english, german) {
		t.Errorf("%+v\n%+v", english, german)
	}
}

// The Compose file gives Parley no more than the page says, and Caddy takes its file.
func TestComposeFile(t *testing.T) {
	data, err := os.ReadFile("../../deploy/compose.yaml")
	ok(t, err)
	var file struct {
		Services map[string]struct {
			Environment map[string]string
			Volumes     []string
			Networks    map[string]any
			ReadOnly    bool     `yaml:"read_only"`
			CapDrop     []string `yaml:"cap_drop"`
			CapAdd      []string `yaml:"cap_add"`
			SecurityOpt []string `yaml:"security_opt"`
			Ports       []string
			DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
		}
		Networks map[string]struct {
			Internal bool
			IPAM     struct{ Config []struct{ Subnet string } }
		}
		Volumes map[string]any
	}
	ok(t, yaml.Unmarshal(data, &file))
	for name, s := range file.Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may do more than it needs: %+v", name, s)
		}
		for _, v := range s.Volumes {
			source, _, _ := strings.Cut(v, ":")
			if _, there := file.Volumes[source]; !there && !strings.HasPrefix(source, "./") {
				t.Errorf("%s: there is no volume %s", name, source)
			}
		}
		for n := range s.Networks {
			if _, there := file.Networks[n]; !there {
				t.Errorf("%s: there is no network %s", name, n)
			}
		}
	}
	parley, caddy := file.Services["parley"], file.Services["caddy"]
	if len(parley.Ports) > 0 || len(parley.CapAdd) > 0 || caddy.DependsOn["parley"].Condition != "service_healthy" {
		t.Errorf("%+v", file.Services)
	}
	if inner := file.Networks["inner"]; !inner.Internal || len(inner.IPAM.Config) != 1 || inner.IPAM.Config[0].Subnet != parley.Environment["PARLEY_TRUSTED_PROXIES"] {
		t.Errorf("Parley does not believe its proxy: %+v", inner)
	}
	if _, err := exec.LookPath("caddy"); err != nil {
		t.Skip(err)
	}
	c := exec.Command("caddy", "validate", "--adapter", "caddyfile", "--config", "../../deploy/Caddyfile")
	c.Env = append(os.Environ(), "PARLEY_DOMAIN=social.example.org")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
