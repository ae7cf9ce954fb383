package notify

import "testing"

// Only a server on this machine may be told something without TLS.
func TestMailPolicy(t *testing.T) {
	for host, want := range map[string]string{"mail.example.org": "TLSMandatory", "10.0.0.5": "TLSMandatory", "127.0.0.1": "TLSOpportunistic", "::1": "TLSOpportunistic", "localhost": "TLSOpportunistic"} {
		client, err := NewMailer(MailOptions{Host: host, Port: 587, Name: "a.example"}).client()
		if err != nil || client.TLSPolicy() != want {
			t.Errorf("%s: %v %v", host, client.TLSPolicy(), err)
		}
	}
}
