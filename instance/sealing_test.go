package instance_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"parley/activitypub/httpsig"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// The instance publishes a key to seal to. One that was made before there was sealing
// gets it at its next start, and keeps it from then on.
func TestEveryInstanceHasASealingKey(t *testing.T) {
	ctx := context.Background()
	net := instancetest.New(t, 1, nil)
	if err := net.Instances[0].DB.Tx(ctx, func(tx social.Tx) error {
		return tx.DeleteKey(ctx, net.Instances[0].Config.PublicURL+"/actor#sealing")
	}); err != nil {
		t.Fatal(err)
	}
	if published(t, net.Instances[0]) != "" {
		t.Fatal("the old instance has a key")
	}
	net.Stop(0)
	first := published(t, net.Restart(0))
	net.Stop(0)
	if again := published(t, net.Restart(0)); first == "" || again != first {
		t.Errorf("published %q, after another start %q", first, again)
	}
	var key social.Key
	if err := net.Instances[0].DB.View(ctx, func(tx social.Tx) (err error) {
		key, err = tx.KeyByURI(ctx, net.Instances[0].Config.PublicURL+"/actor#sealing")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if raw, err := key.Raw(); err != nil || len(raw) != 32 || key.Kind != "x25519" || first != httpsig.EncodeSealingKey(raw) {
		t.Errorf("published %q for %+v: %v", first, key, err)
	}
}

// published is the sealing key in the document of the instance, "" without one.
func published(t *testing.T, in *instance.Instance) string {
	t.Helper()
	res, err := http.Get(in.Config.PublicURL + "/actor")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read below
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		KeyAgreement []struct {
			Type, Controller, PublicKeyMultibase string
		}
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.KeyAgreement) == 0 {
		return ""
	}
	if k := doc.KeyAgreement[0]; len(doc.KeyAgreement) != 1 || k.Type != "Multikey" || k.Controller != in.Config.PublicURL+"/actor" {
		t.Errorf("%s", b)
	}
	return doc.KeyAgreement[0].PublicKeyMultibase
}
