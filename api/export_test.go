package api

// Route is a row of the list, for the test that knows each of them.
type Route struct{ Route, Scope string }

// Routes lists what is served.
func Routes() []Route {
	var out []Route
	for _, r := range New(Options{}).routes() {
		out = append(out, Route{r.route, r.scope})
	}
	return out
}
