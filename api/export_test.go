package api

import (
	"encoding/json"

	"parley/social"
)

// Route is a row of the list, for the tests that know each of them.
type Route struct {
	Route, Scope, Does string
	Gives              any
}

func bare() *API {
	return New(Options{Version: "test", Links: social.Links{PublicURL: "https://parley.example"}})
}

// Routes lists what is served.
func Routes() []Route {
	var out []Route
	for _, r := range bare().routes() {
		out = append(out, Route{r.route, r.scope, r.does, r.gives})
	}
	return out
}

// Document is that of any server.
func Document() []byte {
	b, err := json.Marshal(bare().Document())
	if err != nil {
		panic(err)
	}
	return b
}
