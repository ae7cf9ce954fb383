package httpsig

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What the libraries of others are asked.
type (
	opinion struct {
		Verify []question `json:"verify"`
		Sign   []question `json:"sign"`
	}
	question struct {
		name      string
		private   []byte
		valid     bool
		Dialect   string            `json:"dialect"`
		Method    string            `json:"method"`
		URL       string            `json:"url"`
		Headers   map[string]string `json:"headers"`
		Body      string            `json:"body"`
		Key       string            `json:"key"`
		KeyID     string            `json:"keyId"`
		Algorithm string            `json:"algorithm"`
	}
	answer struct {
		Verify []struct {
			OK    bool   `json:"ok"`
			Error string `json:"error"`
		} `json:"verify"`
		Sign []struct {
			OK    map[string]string `json:"ok"`
			Error string            `json:"error"`
		} `json:"sign"`
	}
)

const peerBody = `{"type":"Create","content":"Grüße"}`

func questions(t *testing.T) []question {
	t.Helper()
	rsaPair, edPair := pair(t, GenerateRSA), pair(t, GenerateEd25519)
	var out []question
	for _, method := range []string{"GET", "POST"} {
		for _, path := range []string{"/users/1/inbox", "/users/1/outbox?page=true&x=%C3%BC", "/users/a%2Fb/inbox"} {
			for _, one := range []struct {
				d         Dialect
				k         keys
				algorithm string
			}{{Cavage, rsaPair, "rsa-sha256"}, {RFC9421, rsaPair, "rsa-v1_5-sha256"}, {RFC9421, edPair, "ed25519"}} {
				q := question{name: method + " " + path + " " + one.d.String() + " " + one.algorithm, private: one.k.private, valid: true,
					Dialect: one.d.String(), Method: method, URL: origin + path, Key: string(one.k.public), KeyID: "https://a.test/u#main-key", Algorithm: one.algorithm}
				if method == "POST" {
					q.Body = peerBody
				}
				out = append(out, q)
			}
		}
	}
	return out
}

// ours signs a question with our code.
func ours(t *testing.T, q question) question {
	t.Helper()
	signer, err := ParsePrivate(q.private)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(q.Method, q.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if q.Method == "POST" {
		r.Header.Set("Content-Type", "application/activity+json")
	}
	if err := Sign(r, []byte(q.Body), Key{q.KeyID, signer}, ParseDialect(q.Dialect), time.Now()); err != nil {
		t.Fatal(err)
	}
	q.Headers = map[string]string{"Host": r.Host}
	for name := range r.Header {
		q.Headers[name] = r.Header.Get(name)
	}
	return q
}

// Signatures of ours verify with the libraries of others, and theirs with ours.
func TestOthersAgree(t *testing.T) {
	peers := os.Getenv("PARLEY_TEST_PEERS")
	if peers == "" {
		t.Skip("PARLEY_TEST_PEERS is not set: the node libraries @peertube/http-signature and http-message-signatures are not installed")
	}
	asked := opinion{Sign: questions(t)}
	for _, q := range questions(t) {
		good := ours(t, q)
		bad := good
		bad.name, bad.valid, bad.URL = "changed, "+good.name, false, origin+"/elsewhere"
		asked.Verify = append(asked.Verify, good, bad)
	}
	for i := range asked.Sign {
		asked.Sign[i].Key, asked.Sign[i].private = string(asked.Sign[i].private), []byte(asked.Sign[i].Key)
	}
	got := ask(t, peers, asked)
	for i, q := range asked.Verify {
		if a := got.Verify[i]; a.OK != q.valid {
			t.Errorf("ours, %s: they say %v %s", q.name, a.OK, a.Error)
		}
	}
	for i, q := range asked.Sign {
		if err := theirs(t, q, got.Sign[i].OK); err != nil {
			t.Errorf("theirs, %s: %v (%s)", q.name, err, got.Sign[i].Error)
		}
	}
}

func ask(t *testing.T, peers string, asked opinion) (got answer) {
	t.Helper()
	in, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command("node", filepath.Join(peers, "signatures", "opinion.mjs"))
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	if err := json.Unmarshal(out, &got); err != nil || len(got.Verify) != len(asked.Verify) || len(got.Sign) != len(asked.Sign) {
		t.Fatalf("%v: %s", err, out)
	}
	return got
}

// theirs verifies with our code what a library of others signed.
func theirs(t *testing.T, q question, headers map[string]string) error {
	t.Helper()
	r := httptest.NewRequest(q.Method, strings.TrimPrefix(q.URL, origin), nil)
	r.Host = "b.test"
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	s, err := Inspect(r, origin, time.Now())
	if err != nil {
		return err
	}
	if err := s.VerifyBody([]byte(q.Body)); err != nil {
		return err
	}
	public, err := ParsePublic(q.private) // the public part: sign's questions hold the private one as Key
	if err != nil {
		t.Fatal(err)
	}
	return s.Verify(public)
}
