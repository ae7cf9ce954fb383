package instance_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
	"parley/storage/storagetest"
)

const directoryPeople = 20_000

// directoryQueries are what people type: a rare name, first letters, words that all
// have, several at once, two that many have and nobody both, and nothing.
var directoryQueries = []string{"müller", "mü", "m", "s", "skill17", "koln sales", "anna department engineer", "department", "anna ben", "nobody", ""}

// crowded is an instance with people of four sisters.
func crowded(t testing.TB, database string, people int) (*instance.Instance, social.Reader) {
	t.Helper()
	in := instancetest.Start(t, t.TempDir(), database)
	ctx := context.Background()
	a, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: "alice", DisplayName: "Alice"})
	if err != nil {
		t.Fatal(err)
	}
	peers := []string{"b.test", "c.test", "d.test", "e.test"}
	for _, p := range peers {
		// A partner that is not paired counts as one where its entries are shown.
		if err := in.Social.SetZone(ctx, p, social.Zone{Kind: social.ZonePartner, Name: "bench"}, "test", "test"); err != nil {
			t.Fatal(err)
		}
	}
	storagetest.Directory(t, in.DB, people, peers...)
	return in, social.Member(a, in.Social.HomeAuthority())
}

func search(t testing.TB, in *instance.Instance, r social.Reader, q string) []social.DirectoryEntry {
	t.Helper()
	entries, err := in.Social.Directory(context.Background(), r, social.DirectoryQuery{Text: q})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// A search among 20,000 people finds whom it should, with the chain of managers, and
// says how long it took. BenchmarkDirectory measures that; no test fails by the clock.
func TestDirectoryOfTwentyThousand(t *testing.T) {
	if testing.Short() {
		t.Skip("fills two databases")
	}
	people := instancetest.Many(t, directoryPeople, 2_000)
	t.Run("sqlite", func(t *testing.T) { largeDirectory(t, "", people) })
	t.Run("postgres", func(t *testing.T) { largeDirectory(t, instancetest.Postgres(t)(0), people) })
}

func largeDirectory(t *testing.T, database string, people int) {
	in, r := crowded(t, database, people)
	for _, q := range directoryQueries {
		var took []time.Duration
		var found []social.DirectoryEntry
		for range 9 {
			began := time.Now()
			found = search(t, in, r, q)
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		t.Logf("%-26q %2d found, fastest %v, median %v", q, len(found), took[0], took[4])
		if (len(found) == 0) != (q == "nobody" || q == "anna ben") || len(found) > 0 && q == "müller" && len(found[0].Managers) == 0 {
			t.Errorf("%q finds %d people", q, len(found))
		}
	}
}

// BenchmarkDirectory searches among 20,000 people.
func BenchmarkDirectory(b *testing.B) {
	in, r := crowded(b, "", directoryPeople)
	for _, q := range directoryQueries {
		b.Run(q, func(b *testing.B) {
			for b.Loop() {
				search(b, in, r, q)
			}
		})
	}
}
