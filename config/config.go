// Package config is one struct with defaults, read from parley.yaml, PARLEY_*
// environment variables and flags, in rising order. It knows nothing else.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"sort"
	"strconv"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// Config of an instance; see Fields for what each key means.
type Config struct {
	Domain         string     `mapstructure:"domain" yaml:"domain"`
	PublicURL      string     `mapstructure:"public_url" yaml:"public_url"`
	Profile        string     `mapstructure:"profile" yaml:"profile"`
	Listen         string     `mapstructure:"listen" yaml:"listen"`
	DataDir        string     `mapstructure:"data_dir" yaml:"data_dir"`
	Storage        URL        `mapstructure:"storage" yaml:"storage"`
	Media          URL        `mapstructure:"media" yaml:"media"`
	TLS            TLS        `mapstructure:"tls" yaml:"tls"`
	TrustedProxies []string   `mapstructure:"trusted_proxies" yaml:"trusted_proxies"`
	SMTP           SMTP       `mapstructure:"smtp" yaml:"smtp"`
	Metrics        Metrics    `mapstructure:"metrics" yaml:"metrics"`
	Limits         Limits     `mapstructure:"limits" yaml:"limits"`
	Federation     Federation `mapstructure:"federation" yaml:"federation"`
	Log            Log        `mapstructure:"log" yaml:"log"`
}

// URL of a store.
type URL struct {
	URL string `mapstructure:"url" yaml:"url"`
}

// TLS serves https without a proxy.
type TLS struct {
	Cert          string `mapstructure:"cert" yaml:"cert"`
	Key           string `mapstructure:"key" yaml:"key"`
	ACMEEmail     string `mapstructure:"acme_email" yaml:"acme_email"`
	ACMEDirectory string `mapstructure:"acme_directory" yaml:"acme_directory"`
	HTTPListen    string `mapstructure:"http_listen" yaml:"http_listen"`
}

// SMTP sends mail; an empty Host means none.
type SMTP struct {
	Host     string `mapstructure:"host" yaml:"host"`
	Port     int    `mapstructure:"port" yaml:"port"`
	User     string `mapstructure:"user" yaml:"user"`
	Password string `mapstructure:"password" yaml:"password"`
	From     string `mapstructure:"from" yaml:"from"`
}

// Metrics are served apart from the pages; an empty Listen means not at all.
type Metrics struct {
	Listen string `mapstructure:"listen" yaml:"listen"`
}

// Limits are rates and sizes.
type Limits struct {
	RequestsPer5m int `mapstructure:"requests_per_5m" yaml:"requests_per_5m"`
	PostLength    int `mapstructure:"post_length" yaml:"post_length"`
	UploadMB      int `mapstructure:"upload_mb" yaml:"upload_mb"`
	MediaCacheMB  int `mapstructure:"media_cache_mb" yaml:"media_cache_mb"`
}

// Federation says with whom and how.
type Federation struct {
	Mode            string   `mapstructure:"mode" yaml:"mode"`
	AllowedNetworks []string `mapstructure:"allowed_networks" yaml:"allowed_networks"`
	CAFile          string   `mapstructure:"ca_file" yaml:"ca_file"`
	Proxy           string   `mapstructure:"proxy" yaml:"proxy"`
}

// Log says what is logged and how.
type Log struct {
	Level  string `mapstructure:"level" yaml:"level"`
	Format string `mapstructure:"format" yaml:"format"`
}

// LetsEncrypt is the ACME server that is asked unless another is named.
const LetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// Field documents one key: the table in the README is made of these.
type Field struct {
	Key     string
	Default any
	Meaning string
}

// Fields lists every key with its default.
func Fields() []Field {
	return []Field{
		{"domain", "localhost:8080", "the part of handles after the @; fixed at the first start"},
		{"public_url", "", "origin of every address; empty: https:// and the domain, http:// while that is loopback"},
		{"profile", "company", "company or open: sets policy defaults only"},
		{"listen", "127.0.0.1:8080", "address and port to listen on"},
		{"data_dir", "parley-data", "folder for the database, files and keys"},
		{"storage.url", "sqlite:parley.db", "sqlite: and a file in data_dir, or postgres://..."},
		{"media.url", "file:media", "file: and a folder in data_dir"},
		{"tls.cert", "", "certificate file with its chain, to serve https without a proxy; a renewed one counts without a restart"},
		{"tls.key", "", "its key file, which not everybody may read"},
		{"tls.acme_email", "", "instead of files: your address for an ACME server such as Let's Encrypt, whose terms you accept by it; certificates come and are renewed by themselves"},
		{"tls.acme_directory", LetsEncrypt, "directory of the ACME server"},
		{"tls.http_listen", "", "second address, such as :80, that sends plain http on to https, and where an ACME server may look"},
		{"smtp.host", "", "mail server for invitations and forgotten passwords; everything works without, then administrators hand links over"},
		{"smtp.port", 587, "587 or 25 with STARTTLS, 465 with TLS from the beginning; only a server on this machine may go without"},
		{"smtp.user", "", "name at the mail server, if it wants one"},
		{"smtp.password", "", "password at the mail server"},
		{"smtp.from", "", "address that mail comes from, such as parley@example.org"},
		{"metrics.listen", "", "address for Prometheus alone, such as 127.0.0.1:9090: whoever reaches it may read /metrics; empty: off"},
		{"trusted_proxies", []string{}, "addresses or networks whose X-Forwarded-For counts"},
		{"limits.requests_per_5m", 3000, "requests of one address in five minutes; loopback is not limited"},
		{"limits.post_length", 5000, "characters in a post"},
		{"limits.upload_mb", 40, "MiB of one file"},
		{"limits.media_cache_mb", 1024, "MiB of copies of other servers' pictures and files that people here opened; the oldest go first"},
		{"federation.mode", "allowlist", "allowlist: only peers with a zone; open: everybody not blocked; off: nobody"},
		{"federation.allowed_networks", []string{}, "private networks that peers may be in, such as 10.0.0.0/8"},
		{"federation.ca_file", "", "certificates of a company CA, PEM"},
		{"federation.proxy", "", "http:// address of a forward proxy"},
		{"log.level", "info", "debug, info, warn or error"},
		{"log.format", "text", "text or json"},
	}
}

// Error names the key that is wrong and what to do.
type Error struct {
	Key  string
	Hint string
}

// Error implements error.
func (e *Error) Error() string { return e.Key + ": " + e.Hint }

// SystemFile is read where there is no parley.yaml in the current folder: an installed
// service has its configuration there.
const SystemFile = "/etc/parley/parley.yaml"

// Load reads the file (path "" means parley.yaml, else SystemFile, if it is there), the
// environment and the flags given, and checks the result.
func Load(path string, flags map[string]string, env []string) (*Config, error) {
	v := viper.New()
	for _, f := range Fields() {
		v.SetDefault(f.Key, f.Default)
	}
	v.SetConfigType("yaml")
	if err := readFile(v, path); err != nil {
		return nil, err
	}
	if err := readEnv(v, env); err != nil {
		return nil, err
	}
	for key, value := range flags {
		v.Set(key, value)
	}
	if err := checkNumbers(v); err != nil {
		return nil, err
	}
	var c Config
	if err := v.Unmarshal(&c, viper.DecodeHook(mapstructure.StringToSliceHookFunc(","))); err != nil {
		return nil, &Error{Key: "configuration", Hint: err.Error()}
	}
	return &c, c.check()
}

// checkNumbers names the key of a number that is none; the decoder would speak of Go.
func checkNumbers(v *viper.Viper) error {
	for _, f := range Fields() {
		if _, number := f.Default.(int); !number {
			continue
		}
		if _, err := strconv.Atoi(v.GetString(f.Key)); err != nil {
			return &Error{f.Key, fmt.Sprintf("%q is not possible; write a whole number, such as %v", v.GetString(f.Key), f.Default)}
		}
	}
	return nil
}

func readFile(v *viper.Viper, path string) error {
	name := path
	if name == "" {
		name = "parley.yaml"
		// A folder that may not be looked into is as one without the file: root's, for
		// a command that runs as the service's user.
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			name = SystemFile
		}
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && path == "" {
		return nil
	}
	if err != nil {
		return &Error{Key: "--config", Hint: err.Error()}
	}
	var file map[string]any
	if err := yaml.Unmarshal(b, &file); err != nil {
		return &Error{Key: name, Hint: "is not valid YAML: " + err.Error()}
	}
	for _, key := range flatten("", file) {
		if !known(key) {
			return unknown(key, name)
		}
	}
	return v.MergeConfigMap(file)
}

func flatten(prefix string, m map[string]any) []string {
	var out []string
	for k, val := range m {
		if sub, ok := val.(map[string]any); ok && len(sub) > 0 {
			out = append(out, flatten(prefix+k+".", sub)...)
			continue
		}
		out = append(out, prefix+k)
	}
	sort.Strings(out)
	return out
}

// readEnv takes PARLEY_FEDERATION_MODE for federation.mode; unknown ones are an
// error, except those for tests.
func readEnv(v *viper.Viper, env []string) error {
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "PARLEY_") || strings.HasPrefix(name, "PARLEY_TEST_") {
			continue
		}
		found := false
		for _, f := range Fields() {
			if name == envName(f.Key) {
				v.Set(f.Key, value)
				found = true
			}
		}
		if !found {
			return unknown(strings.ToLower(strings.TrimPrefix(name, "PARLEY_")), "environment variable "+name)
		}
	}
	return nil
}

func envName(key string) string {
	return "PARLEY_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// known accepts a key, or a section given as empty ("smtp: {}").
func known(key string) bool {
	for _, f := range Fields() {
		if key == f.Key || strings.HasPrefix(f.Key, key+".") {
			return true
		}
	}
	return false
}

func unknown(key, where string) error {
	names := map[string]string{}
	var spellings []string
	for _, f := range Fields() {
		for _, name := range []string{f.Key, strings.ReplaceAll(f.Key, ".", "_")} {
			names[name] = f.Key
			spellings = append(spellings, name)
		}
	}
	return &Error{Key: key, Hint: fmt.Sprintf("unknown key in %s; did you mean %s?", where, names[Nearest(key, spellings)])}
}

// Nearest picks the word that takes the fewest changes of a letter.
func Nearest(word string, known []string) string {
	best, distance := "", 1<<30
	for _, k := range known {
		if d := editDistance(word, k); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			last, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, last+cost)
		}
	}
	return row[len(b)]
}

func (c *Config) check() error {
	c.Domain = strings.ToLower(strings.TrimSpace(c.Domain))
	if c.Domain == "" || strings.ContainsAny(c.Domain, "/@ ") {
		return &Error{"domain", "write a host name, with a port if it is not the usual one"}
	}
	if c.PublicURL == "" {
		c.PublicURL = "https://" + c.Domain
		if c.Trial() {
			c.PublicURL = "http://" + c.Domain
		}
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return &Error{"public_url", "write an origin such as https://social.example.org, without a path"}
	}
	if u.Scheme == "http" && !loopback(u.Host) {
		return &Error{"public_url", "plain http is for loopback only; use https://"}
	}
	for _, one := range []struct {
		key, value string
		allowed    []string
	}{
		{"profile", c.Profile, []string{"company", "open"}},
		{"federation.mode", c.Federation.Mode, []string{"allowlist", "open", "off"}},
		{"log.level", c.Log.Level, []string{"debug", "info", "warn", "error"}},
		{"log.format", c.Log.Format, []string{"text", "json"}},
	} {
		if !contains(one.allowed, one.value) {
			return &Error{one.key, fmt.Sprintf("%q is not possible; use %s", one.value, strings.Join(one.allowed, ", "))}
		}
	}
	if _, err := c.Networks(); err != nil {
		return err
	}
	if !strings.HasPrefix(c.Storage.URL, "sqlite:") && !strings.HasPrefix(c.Storage.URL, "postgres://") && !strings.HasPrefix(c.Storage.URL, "postgresql://") {
		return &Error{"storage.url", "use sqlite:<file> or postgres://..."}
	}
	if !strings.HasPrefix(c.Media.URL, "file:") {
		return &Error{"media.url", "use file:<folder>"}
	}
	if err := c.checkTLS(); err != nil {
		return err
	}
	if err := c.SMTP.check(); err != nil {
		return err
	}
	if c.Metrics.Listen != "" {
		if _, _, err := net.SplitHostPort(c.Metrics.Listen); err != nil {
			return &Error{"metrics.listen", "write an address with a port, such as 127.0.0.1:9090"}
		}
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return &Error{"listen", "write an address with a port, such as 127.0.0.1:8080"}
	}
	if c.Limits.PostLength < 100 || c.Limits.UploadMB < 1 || c.Limits.MediaCacheMB < 1 || c.Limits.RequestsPer5m < 0 {
		return &Error{"limits", "post_length is at least 100, upload_mb and media_cache_mb at least 1"}
	}
	return nil
}

func (s SMTP) check() error {
	if s.Port < 1 || s.Port > 65535 {
		return &Error{"smtp.port", "write a port number, such as 587"}
	}
	if s.Host == "" {
		if s.User != "" || s.Password != "" || s.From != "" {
			return &Error{"smtp.host", "name the mail server, or leave out the other keys of smtp"}
		}
		return nil
	}
	if strings.ContainsAny(s.Host, ":/ ") && net.ParseIP(s.Host) == nil {
		return &Error{"smtp.host", "write a name or an address alone, such as mail.example.org; the port stands in smtp.port"}
	}
	if a, err := mail.ParseAddress(s.From); err != nil || a.Address != s.From {
		return &Error{"smtp.from", "write the mail address that mail comes from, alone, such as parley@example.org"}
	}
	if (s.User == "") != (s.Password == "") {
		return &Error{"smtp", "user and password belong together; set both or none"}
	}
	return nil
}

// checkTLS wants one way to a certificate at most, and one that can work.
func (c *Config) checkTLS() error {
	t := c.TLS
	if (t.Cert == "") != (t.Key == "") {
		return &Error{"tls", "cert and key belong together; set both or none"}
	}
	served := t.Cert != "" || t.ACMEEmail != ""
	if t.HTTPListen != "" {
		if _, _, err := net.SplitHostPort(t.HTTPListen); err != nil {
			return &Error{"tls.http_listen", "write an address with a port, such as :80"}
		}
		if !served {
			return &Error{"tls.http_listen", "there is no https to send people to; set tls.cert and tls.key, or tls.acme_email"}
		}
	}
	if t.ACMEEmail == "" {
		return nil
	}
	if t.Cert != "" {
		return &Error{"tls", "either certificate files or acme_email, not both"}
	}
	if a, err := mail.ParseAddress(t.ACMEEmail); err != nil || a.Address != t.ACMEEmail {
		return &Error{"tls.acme_email", "write a mail address alone, such as it@example.org"}
	}
	if u, err := url.Parse(t.ACMEDirectory); err != nil || u.Scheme != "https" || u.Host == "" {
		return &Error{"tls.acme_directory", "write the https address of the ACME server's directory"}
	}
	if _, err := netip.ParseAddr(c.Host()); err == nil || loopback(c.Host()) || !strings.Contains(c.Host(), ".") {
		return &Error{"tls.acme_email", fmt.Sprintf("no ACME server gives a certificate for %s; set domain to the name that others reach this server by", c.Host())}
	}
	return nil
}

// Host is the name of the machine in public_url, without a port.
func (c *Config) Host() string {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return "" // Load has checked it
	}
	return u.Hostname()
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// Networks are the private networks that peers may be in.
func (c *Config) Networks() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range c.Federation.AllowedNetworks {
		p, err := netip.ParsePrefix(strings.TrimSpace(s))
		if err != nil {
			return nil, &Error{"federation.allowed_networks", fmt.Sprintf("%q is not a network; write it like 10.0.0.0/8", s)}
		}
		out = append(out, p)
	}
	return out, nil
}

// Trial says that no other machine can reach this instance.
func (c *Config) Trial() bool { return loopback(c.Domain) }

func loopback(authority string) bool {
	host := authority
	if h, _, err := net.SplitHostPort(authority); err == nil {
		host = h
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}

// Effective writes the configuration as YAML, secrets hidden.
func (c Config) Effective() string {
	if !strings.HasPrefix(c.Storage.URL, "sqlite:") {
		c.Storage.URL = withoutPassword(c.Storage.URL)
	}
	c.Federation.Proxy = withoutPassword(c.Federation.Proxy)
	if c.SMTP.Password != "" {
		c.SMTP.Password = hidden
	}
	b, err := yaml.Marshal(c)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// hidden stands in the place of a secret.
const hidden = "xxxxx"

// withoutPassword is an address as others may read it. One that cannot be parsed, such as
// for a sign in its password, is hidden whole.
func withoutPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return hidden
	}
	q := u.Query()
	for _, key := range []string{"password", "sslpassword"} { // where PostgreSQL takes them too
		if q.Has(key) {
			q.Set(key, hidden)
			u.RawQuery = q.Encode()
		}
	}
	return u.Redacted()
}
