package instancetest

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"
)

// Postgres makes a database of its own for each instance of a test, on the server
// that PARLEY_TEST_POSTGRES names; without one the test is skipped.
func Postgres(t testing.TB) func(i int) string {
	t.Helper()
	base := os.Getenv("PARLEY_TEST_POSTGRES")
	if base == "" {
		t.Skip("PARLEY_TEST_POSTGRES is not set: run ./test/all")
	}
	return func(i int) string {
		db, err := sql.Open("pgx", base)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("parley_i_%d_%d_%d", os.Getpid(), time.Now().UnixNano(), i)
		if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if _, err := db.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
				t.Log(err)
			}
			_ = db.Close() // the database is gone
		})
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		u.Path = "/" + name
		return u.String()
	}
}
