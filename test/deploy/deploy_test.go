package deploy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parley/config"
)

// block is a piece of code of a page: lines of a shell for a place, or a file there.
type block struct {
	kind, place, file string
	text              string
}

// read takes the blocks out of a page. After ``` stand the kind of code and whom it is
// for: "sh north", "yaml north:/etc/parley/parley.yaml", "yaml check".
func read(t *testing.T, page string) (out []block) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	ok(t, err)
	var in *block
	for _, line := range strings.SplitAfter(string(text), "\n") {
		info, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && in == nil:
			kind, where, _ := strings.Cut(info, " ")
			place, file, _ := strings.Cut(where, ":")
			if place == "" {
				t.Fatalf("%s: nobody would run what stands after ```%s", page, info)
			}
			in = &block{kind: kind, place: place, file: file}
		case fence:
			out = append(out, *in)
			in = nil
		case in != nil:
			in.text += line
		}
	}
	if in != nil || len(out) < 5 {
		t.Fatalf("%s: %d blocks", page, len(out))
	}
	return out
}

// Both languages say to do the same.
func TestBothPagesSayTheSame(t *testing.T) {
	english, german := read(t, "deploy.md"), read(t, "aufstellen.md")
	for i := range max(len(english), len(german)) {
		if i >= len(english) || i >= len(german) || english[i] != german[i] {
			t.Fatalf("block %d differs:\n%+v\n%+v", i+1, english[min(i, len(english)-1)], german[min(i, len(german)-1)])
		}
	}
}

// Configurations that no machine here runs are right nevertheless.
func TestConfigurationsAreRight(t *testing.T) {
	n := 0
	for _, b := range read(t, "deploy.md") {
		if b.kind != "yaml" {
			continue
		}
		n++
		file := filepath.Join(t.TempDir(), "parley.yaml")
		ok(t, os.WriteFile(file, []byte(b.text), 0o600))
		if _, err := config.Load(file, nil, nil); err != nil {
			t.Errorf("%v in\n%s", err, b.text)
		}
	}
	if n < 5 {
		t.Errorf("%d configurations", n)
	}
}

// pages runs a page on machines.
type pages struct {
	*testing.T
	machines map[string]*machine
	desk     string // folder of whoever sits there
	last     string // line that the last block printed
}

// desktop runs lines on the desk. scp is there and copies into the home of a machine's
// root, without a network.
func (p *pages) desktop(lines string) {
	p.Helper()
	bin := filepath.Join(p.desk, ".bin")
	ok(p.T, os.MkdirAll(bin, 0o755))
	script := "#!/bin/sh\nfor to; do :; done\ncase $to in\n"
	for name, m := range p.machines {
		script += "root@social." + name + ".example:) to=" + filepath.Join(m.root, "root") + "/ ;;\n"
	}
	script += "*) echo unknown host $to; exit 1 ;;\nesac\nwhile [ $# -gt 1 ]; do cp \"$1\" \"$to\" || exit 1; shift; done\n"
	ok(p.T, os.WriteFile(filepath.Join(bin, "scp"), []byte(script), 0o755))
	c := exec.Command("bash", "-e", "-c", lines)
	c.Dir, c.Env = p.desk, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	if out, err := c.CombinedOutput(); err != nil {
		p.Fatalf("%v %s\n%s", err, lines, out)
	}
}

// follow does what the blocks for these places say.
func (p *pages) follow(blocks []block, places ...string) {
	p.Helper()
	for _, b := range blocks {
		at := ""
		for _, place := range places {
			if b.place == place {
				at = place
			}
		}
		m := p.machines[at]
		switch {
		case at == "":
		case at == "desk":
			p.desktop(b.text)
		case b.file != "":
			m.write(b.file, b.text)
		default:
			out := strings.TrimSpace(m.run(strings.ReplaceAll(b.text, "CODE", p.last)))
			p.last = out[strings.LastIndexByte(out, '\n')+1:]
		}
	}
}

// program builds Parley as the page says.
func program(t *testing.T, folder string) {
	t.Helper()
	c := exec.Command("go", "build", "-o", filepath.Join(folder, "parley"), "./cmd/parley")
	c.Dir = filepath.Join("..", "..")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
}

// token is one of a new member.
func (m *machine) token(member string) string {
	m.Helper()
	m.run("echo 'a long password' | runuser --user parley -- parley account create " + member + " --password-stdin")
	return strings.TrimSpace(m.run(`runuser --user parley -- parley token create ` + member + ` --scopes "read write"`))
}

// says publishes for the company, through the front door.
func (m *machine) says(token, text string) {
	m.Helper()
	m.run("curl --silent --show-error --fail --cacert /etc/parley/ca.pem -H 'Authorization: Bearer " + token + "' -d audience=company --data-urlencode 'status=" + text +
		"' https://social." + m.name + ".example/api/v1/statuses")
}

// hears waits until somebody's company timeline has a text.
func (m *machine) hears(token, text string) {
	m.Helper()
	m.until("curl --silent --show-error --fail --cacert /etc/parley/ca.pem -H 'Authorization: Bearer " + token + "' https://social." + m.name +
		".example/api/parley/v1/timelines/company | grep --quiet '" + text + "'")
}

// Two machines of different names, a private authority, one behind nginx, one with its
// own https: after what the page says they federate.
func TestTwoMachinesByThePage(t *testing.T) {
	needs(t, "nginx")
	blocks := read(t, "deploy.md")
	c := newCable(t, map[string]string{"social.north.example": "10.20.0.1", "social.south.example": "10.20.0.2"})
	p := &pages{T: t, desk: t.TempDir(), machines: map[string]*machine{"north": c.machine("north", "nginx"), "south": c.machine("south")}}
	north, south := p.machines["north"], p.machines["south"]
	program(t, p.desk)
	p.follow(blocks, "desk", "north", "south")

	ann, ben := north.token("ann"), south.token("ben")
	north.says(ann, "first words from the north")
	south.hears(ben, "first words from the north")
	south.says(ben, "an answer of the south")
	north.hears(ann, "an answer of the south")
	t.Run("the link of the page opens", func(t *testing.T) {
		link := strings.TrimSpace(south.in(t).run("runuser --user parley -- parley setup-link 2>/dev/null"))
		north.in(t).run("curl --silent --show-error --fail --cacert /etc/parley/ca.pem --output /dev/null '" + link + "'")
		if out := south.journal(); strings.Contains(out, "code=") {
			t.Errorf("the journal holds a link for one: %s", out)
		}
	})
	t.Run("plain http leads to https", func(t *testing.T) {
		for _, m := range []*machine{north, south} {
			out := north.in(t).run("curl --silent --head http://social." + m.name + ".example/about")
			if !strings.Contains(out, " 301 ") || !strings.Contains(out, "ocation: https://social."+m.name+".example/about") {
				t.Errorf("%s: %s", m.name, out)
			}
		}
	})
	t.Run("a stream comes through nginx at once", func(t *testing.T) {
		north, south := north.in(t), south.in(t)
		north.run("curl --silent --no-buffer --cacert /etc/parley/ca.pem -H 'Authorization: Bearer " + ann + "' https://social.north.example/api/parley/v1/streaming/company > stream 2>&1 &")
		north.until("grep --quiet : stream")
		south.says(ben, "words that flow")
		north.until("grep --quiet 'words that flow' stream")
	})
	t.Run("what the service may", func(t *testing.T) { hardened(t, north.in(t)) })
	t.Run("restored", func(t *testing.T) { restored(t, north.in(t), south.in(t), blocks, ann, ben) })
	t.Run("it comes back", func(t *testing.T) { comesBack(t, north.in(t), south.in(t), ann, ben) })
	t.Run("other proxies", func(t *testing.T) { otherProxies(t, p, blocks, ann, ben) })
	t.Run("handles of another domain", func(t *testing.T) { handlesLead(t, north.in(t), blocks) })
	t.Run("uninstall and install anew", func(t *testing.T) { installsAnew(t, south.in(t)) })
}

// hardened wants the service to be able to do little, and its files to be its own.
func hardened(t *testing.T, m *machine) {
	m.run("systemd-analyze verify /etc/systemd/system/parley.service")
	m.run("systemd-analyze security --no-pager --threshold=20 parley.service >security || { cat security; exit 1; }")
	m.run("runuser --user parley -- parley backup /var/lib/parley/parley.backup") // as the administrators' page says
	backsUp(t, m)
	if out := m.run("find /var/lib/parley /var/lib/parley-backup ! -user parley -o -perm /077"); out != "" {
		t.Errorf("files of others, or for others: %s", out)
	}
	if out, err := m.try("parley account list"); err == nil || !strings.Contains(err.Error(), "runuser --user parley") {
		t.Errorf("root writes into the folder of the service: %s %v", out, err)
	}
	if out := m.run("systemctl is-enabled parley"); strings.TrimSpace(out) != "enabled" {
		t.Error(out)
	}
}

// backsUp wants the timer of the page to run, and its backups to be whole.
func backsUp(t *testing.T, m *machine) {
	m.run("systemd-analyze verify /etc/systemd/system/parley-backup.service /etc/systemd/system/parley-backup.timer")
	m.run("systemd-analyze security --no-pager --threshold=20 parley-backup.service >security || { cat security; exit 1; }")
	if out := m.run("systemctl is-active parley-backup.timer; systemctl is-enabled parley-backup.timer"); out != "active\nenabled\n" {
		t.Error(out)
	}
}

// restored puts the last backup in the place of the data, as the page says: what the
// other server has comes back.
func restored(t *testing.T, north, south *machine, blocks []block, ann, ben string) {
	north.run("systemctl start parley-backup") // as it does itself in the next night
	north.says(ann, "after the backup")
	south.hears(ben, "after the backup")
	p := &pages{T: t, machines: map[string]*machine{"restore": north}}
	p.follow(blocks, "restore")
	north.hears(ann, "after the backup")
	north.says(ann, "after the restore")
	south.hears(ben, "after the restore")
}

// comesBack kills and stops the service: nothing is lost, and a stop ends by itself.
func comesBack(t *testing.T, north, south *machine, ann, ben string) {
	before := number(t, south.run("systemctl show --property NRestarts --value parley"))
	south.run("systemctl kill --kill-who main --signal KILL parley")
	north.says(ann, "while the south was down")
	south.until(fmt.Sprintf("[ $(systemctl show --property NRestarts --value parley) -gt %d ]", before))
	south.hears(ben, "while the south was down")
	south.run("systemctl stop parley")
	if out := south.run("systemctl show --property Result --value parley"); strings.TrimSpace(out) != "success" {
		t.Errorf("the stop was no end by itself: %s", out)
	}
	north.says(ann, "while the south stood still")
	south.run("systemctl start parley")
	south.hears(ben, "while the south stood still")
	south.run("parley service install") // once more, as for a new version
	south.hears(ben, "while the south stood still")
}

// otherProxies puts each in the place of nginx.
func otherProxies(t *testing.T, p *pages, blocks []block, ann, ben string) {
	north, south := p.machines["north"], p.machines["south"]
	for _, one := range []struct{ name, program, unit string }{{"caddy", "/usr/bin/caddy", "caddy"}, {"apache", "/usr/sbin/apache2", "apache2"}} {
		t.Run(one.name, func(t *testing.T) {
			north, south := north.in(t), south.in(t)
			if _, err := north.try("test -x " + one.program); err != nil {
				t.Skipf("%s is not installed", one.name)
			}
			north.run("systemctl stop nginx")
			p := &pages{T: t, machines: map[string]*machine{one.name: north}}
			p.follow(blocks, one.name)
			defer north.run("systemctl stop " + one.unit)
			south.says(ben, "through "+one.name)
			north.hears(ann, "through "+one.name)
			north.says(ann, "out of "+one.name)
			south.hears(ben, "out of "+one.name)
			var got bytes.Buffer
			got.WriteString(north.run("curl --silent --fail --cacert /etc/parley/ca.pem https://social.north.example/api/v2/instance"))
			var about struct{ Domain string }
			if err := json.Unmarshal(got.Bytes(), &about); err != nil || about.Domain != "social.north.example" {
				t.Errorf("%v %s", err, got.String())
			}
		})
	}
}

// handlesLead puts the two paths of handles on a main domain's web server.
func handlesLead(t *testing.T, m *machine, blocks []block) {
	p := &pages{T: t, machines: map[string]*machine{"split": m}}
	p.follow(blocks, "split")
	m.write("/etc/nginx/sites-enabled/main", "server { listen 127.0.0.1:8081; include snippets/parley-handles.conf; }\n")
	m.run("systemctl restart nginx")
	out := m.run("curl --silent --head 'http://127.0.0.1:8081/.well-known/webfinger?resource=acct:ann@example.org'")
	if !strings.Contains(out, "Location: https://social.example.org/.well-known/webfinger?resource=acct:ann@example.org") {
		t.Error(out)
	}
}

// installsAnew leaves data alone when the service goes, and says what a new one lacks.
func installsAnew(t *testing.T, m *machine) {
	m.run("parley service uninstall")
	if out, err := m.try("systemctl status parley"); err == nil {
		t.Error(out)
	}
	m.run("test -f /var/lib/parley/parley.db && test -f /etc/parley/parley.yaml")
	refused := func(lines, why string) {
		t.Helper()
		if out, err := m.try(lines); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %s %v", lines, out, err)
		}
	}
	refused("parley service uninstall", "there is no service")
	refused("parley service install --domain social.south.example", "leave --domain out")
	m.run("mv /etc/parley/parley.yaml .")
	refused("parley service install", "--domain HOST is needed")
	refused("parley service install --domain 'a b'", "write a host name")
	m.run("echo 'domain: social.south.example' > /etc/parley/parley.yaml")
	refused("parley service install", "write the whole path")
	m.run("rm /etc/parley/parley.yaml; parley service install --no-start --domain social.south.example")
	if out := m.run("stat --format '%a %U %G' /etc/parley/parley.yaml"); out != "640 root parley\n" {
		t.Error(out)
	}
	refused("runuser --user nobody -- /usr/local/bin/parley service uninstall", "sudo")
}
