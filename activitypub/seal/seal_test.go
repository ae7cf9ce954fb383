package seal

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// side is one instance with its keys.
type side struct {
	sign    ed25519.PrivateKey
	sealing *ecdh.PrivateKey
}

func newSide(t testing.TB) side {
	t.Helper()
	_, sign, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sealing, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return side{sign, sealing}
}

func (s side) public() ed25519.PublicKey { return s.sign.Public().(ed25519.PublicKey) }

func delivery() About {
	return About{From: "a.example", To: "b.example", Purpose: Delivery, Target: "https://b.example/inbox"}
}

const most = 1 << 20

func sealed(t testing.TB, a, b side, about About, payload string) []byte {
	t.Helper()
	s, _, err := Seal([]byte(payload), about, a.sign, b.sealing.PublicKey().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatIsSealedOpensForTheOther(t *testing.T) {
	a, b := newSide(t), newSide(t)
	for _, payload := range []string{"", "x", strings.Repeat("canary ", 10_000)} {
		s, sent, err := Seal([]byte(payload), delivery(), a.sign, b.sealing.PublicKey().Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if len(s) != len(payload)+Overhead {
			t.Errorf("%d bytes became %d", len(payload), len(s))
		}
		if bytes.Contains(s, []byte("canary")) {
			t.Error("the payload stands in the sealed body")
		}
		got, received, err := Open(s, delivery(), []*ecdh.PrivateKey{b.sealing}, []ed25519.PublicKey{a.public()}, most)
		if err != nil || string(got) != payload || sent != received {
			t.Errorf("opened %q: %v", got, err)
		}
	}
}

// A sealed body is good for one sender, reader, purpose, place and request.
func TestASealedBodyOpensInItsPlaceAlone(t *testing.T) {
	a, b, c := newSide(t), newSide(t), newSide(t)
	answer := About{From: "a.example", To: "b.example", Purpose: Answer, Target: "https://a.example/users/1", Request: []byte("signature")}
	for name, change := range map[string]func(*About){
		"from and to swapped": func(o *About) { o.From, o.To = o.To, o.From },
		"another sender":      func(o *About) { o.From = "c.example" },
		"another reader":      func(o *About) { o.To = "c.example" },
		"another purpose":     func(o *About) { o.Purpose = Delivery },
		"another target":      func(o *About) { o.Target += "0" },
		"another request":     func(o *About) { o.Request = []byte("signaturf") },
		"no request":          func(o *About) { o.Request = nil },
		"a moved border":      func(o *About) { o.From, o.To = o.From+o.To[:1], o.To[1:] },
	} {
		other := answer
		change(&other)
		_, _, err := Open(sealed(t, a, b, answer, "x"), other, []*ecdh.PrivateKey{b.sealing}, []ed25519.PublicKey{a.public()}, most)
		if !errors.Is(err, ErrNotForUs) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, try := range map[string]struct {
		own    side
		sender side
		want   error
	}{
		"the right ones":        {b, a, nil},
		"somebody else's key":   {c, a, ErrNotForUs},
		"not the pinned sender": {b, c, ErrNotPinned},
	} {
		_, _, err := Open(sealed(t, a, b, answer, "x"), answer, []*ecdh.PrivateKey{try.own.sealing}, []ed25519.PublicKey{try.sender.public()}, most)
		if !errors.Is(err, try.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryChangedByteIsNoticed(t *testing.T) {
	a, b := newSide(t), newSide(t)
	whole := sealed(t, a, b, delivery(), "a short text")
	open := func(s []byte) error {
		_, _, err := Open(s, delivery(), []*ecdh.PrivateKey{b.sealing}, []ed25519.PublicKey{a.public()}, most)
		return err
	}
	if err := open(whole); err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		// The highest bit of an X25519 key does not count (RFC 7748 5), so another one.
		changed := bytes.Clone(whole)
		changed[i] ^= 1
		if err := open(changed); err == nil {
			t.Errorf("byte %d may be anything", i)
		}
		if err := open(whole[:i]); err == nil {
			t.Errorf("%d bytes are enough", i)
		}
	}
	if err := open(append(bytes.Clone(whole), 0)); err == nil {
		t.Error("a byte more is overlooked")
	}
	for _, v := range []byte{0, 2, 255} {
		whole[0] = v
		if err := open(whole); !errors.Is(err, ErrMalformed) {
			t.Errorf("version %d: %v", v, err)
		}
	}
}

// Somebody who opens a body cannot pass it on as meant for a third: the name of the
// reader is signed, not only part of the key.
func TestASignatureIsForOneReader(t *testing.T) {
	a, b, c := newSide(t), newSide(t), newSide(t)
	about := delivery()
	s := sealed(t, a, b, about, "x")
	_, name, _, err := unwrap(s, about.info(), b.sealing)
	if err != nil {
		t.Fatal(err)
	}
	about.To = "c.example"
	public, err := kem().NewPublicKey(c.sealing.PublicKey().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	enc, sender, err := hpke.NewSender(public, kdf(), aead(), about.info())
	if err != nil {
		t.Fatal(err)
	}
	stolen, err := sender.Seal(nil, name)
	if err != nil {
		t.Fatal(err)
	}
	content, err := sender.Seal(nil, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	again := append(append(append([]byte{version}, enc...), stolen...), content...)
	if _, _, err := Open(again, about, []*ecdh.PrivateKey{c.sealing}, []ed25519.PublicKey{a.public()}, most); !errors.Is(err, ErrNotPinned) {
		t.Error(err)
	}
}

func TestOldAndNewKeysOpen(t *testing.T) {
	a, older, b, former := newSide(t), newSide(t), newSide(t), newSide(t)
	own, senders := []*ecdh.PrivateKey{b.sealing, former.sealing}, []ed25519.PublicKey{a.public(), older.public(), nil}
	for _, from := range []side{a, older} {
		for _, to := range []side{b, former} {
			if _, _, err := Open(sealed(t, from, to, delivery(), "x"), delivery(), own, senders, most); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestPayloadsAreBounded(t *testing.T) {
	a, b := newSide(t), newSide(t)
	for size, want := range map[int]error{100: nil, 101: ErrMalformed} {
		_, _, err := Open(sealed(t, a, b, delivery(), strings.Repeat("x", size)), delivery(), []*ecdh.PrivateKey{b.sealing}, []ed25519.PublicKey{a.public()}, 100)
		if !errors.Is(err, want) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	if _, _, err := Seal(nil, delivery(), a.sign, make([]byte, 31)); err == nil {
		t.Error("sealed to half a key")
	}
}

// Only who opened a body can acknowledge it, and each for one activity.
func TestAnAcknowledgementIsOfOneBody(t *testing.T) {
	a, b := newSide(t), newSide(t)
	s, sent, err := Seal([]byte("x"), delivery(), a.sign, b.sealing.PublicKey().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	_, received, err := Open(s, delivery(), []*ecdh.PrivateKey{b.sealing}, []ed25519.PublicKey{a.public()}, most)
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := Seal([]byte("x"), delivery(), a.sign, b.sealing.PublicKey().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	const id = "https://a.example/activities/1"
	good := received.Acknowledge(id)
	if len(good) != AckBytes || !sent.Acknowledged(good, id) {
		t.Errorf("%x does not acknowledge", good)
	}
	for name, bad := range map[string][]byte{
		"of another activity": received.Acknowledge(id + "0"), "of another body": other.Acknowledge(id),
		"nothing": nil, "cut": good[:AckBytes-1], "longer": append(bytes.Clone(good), 0),
		"another version": append([]byte{2}, good[1:]...), "of no body": Token{}.Acknowledge(id),
	} {
		if sent.Acknowledged(bad, id) {
			t.Errorf("%s acknowledges", name)
		}
	}
}

// The suite is that of RFC 9180 A.1: its vector of the base mode opens.
func TestTheSuiteIsThatOfTheRFC(t *testing.T) {
	private, err := kem().NewPrivateKey(unhex(t, "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"))
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(private.PublicKey().Bytes()); got != "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d" {
		t.Error("pkRm:", got)
	}
	r, err := hpke.NewRecipient(unhex(t, "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"), private, kdf(), aead(),
		unhex(t, "4f6465206f6e2061204772656369616e2055726e"))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range []struct{ aad, ct string }{
		{"436f756e742d30", "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"},
		{"436f756e742d31", "af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab251c03d0c22a56b8ca42c2063b84"},
	} {
		got, err := r.Open(unhex(t, v.aad), unhex(t, v.ct))
		if err != nil || hex.EncodeToString(got) != "4265617574792069732074727574682c20747275746820626561757479" {
			t.Errorf("sequence %d: %x, %v", i, got, err)
		}
	}
	for context, want := range map[string]string{
		"":                       "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee",
		"00":                     "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5",
		"54657374436f6e74657874": "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931",
	} {
		got, err := r.Export(string(unhex(t, context)), 32)
		if err != nil || hex.EncodeToString(got) != want {
			t.Errorf("export %q: %x, %v", context, got, err)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The form on the wire does not change by itself: a body that was sealed once opens.
func TestASealedBodyOfYesterdayOpens(t *testing.T) {
	sealing, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	sign := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32))
	payload, token, err := Open(unhex(t, yesterday), delivery(), []*ecdh.PrivateKey{sealing}, []ed25519.PublicKey{sign.Public().(ed25519.PublicKey)}, most)
	if err != nil || string(payload) != `{"type":"Create"}` {
		t.Errorf("%q, %v", payload, err)
	}
	if got := hex.EncodeToString(token.Acknowledge("https://a.example/activities/1")); got != yesterdayAck {
		t.Error(got)
	}
}

// Made by Seal with the keys of that test.
const (
	yesterday    = "0119a267fa26d206c7d57c524168b612f89c5f584db727134b31ffcd42e0d1cf71dc8415e35af45bdd789056a70ce9c30e027203c82bfc4c0316464289b770a9c57fdd55e3ba7dca6c96ec0eb0ae7cb1dbb8c4929c6b5e1eb8d1a11c52675c3aa0f65570efe8408dea176befa99bbc485bd702e945aaef15663d7d796aa703bbf67adf1750b2464ac9b552711071216cb662"
	yesterdayAck = "01c62cc43a737837d05349edc8168b651d4eaacd135c9c10d3c67013f205d064b6"
)

// Nothing that anybody sends breaks Open, and nothing opens but what was sealed.
func FuzzOpen(f *testing.F) {
	a, b := newSide(f), newSide(f)
	whole := sealed(f, a, b, delivery(), "payload")
	f.Add(whole)
	f.Add(whole[:Overhead])
	f.Add([]byte{version})
	f.Add(make([]byte, Overhead))
	f.Fuzz(func(t *testing.T, s []byte) {
		payload, _, err := Open(s, delivery(), []*ecdh.PrivateKey{b.sealing}, []ed25519.PublicKey{a.public()}, most)
		if err == nil && (string(payload) != "payload" || !bytes.Equal(s[33:], whole[33:])) {
			t.Errorf("opened %q", payload)
		}
	})
}

// BenchmarkDelivery is both sides of a sealed body of 2 KiB with its acknowledgement.
func BenchmarkDelivery(bench *testing.B) {
	a, b := newSide(bench), newSide(bench)
	payload, about, to := make([]byte, 2048), delivery(), b.sealing.PublicKey().Bytes()
	bench.Run("seal", func(bench *testing.B) {
		for bench.Loop() {
			if _, _, err := Seal(payload, about, a.sign, to); err != nil {
				bench.Fatal(err)
			}
		}
	})
	s := sealed(bench, a, b, about, string(payload))
	own, senders := []*ecdh.PrivateKey{b.sealing}, []ed25519.PublicKey{a.public()}
	bench.Run("open", func(bench *testing.B) {
		for bench.Loop() {
			if _, _, err := Open(s, about, own, senders, most); err != nil {
				bench.Fatal(err)
			}
		}
	})
}
