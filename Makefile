# Names for plain commands; the commands are the interface.
.PHONY: test check race fuzz golden demo bench
FUZZTIME ?= 10m

test: ## everything, with what it needs
	./test/all
check: ## the quick part
	go vet ./... && go tool staticcheck ./... && go test ./...
race:
	CGO_ENABLED=1 go test -race ./...
fuzz: ## every target in turn, FUZZTIME each
	@grep -rE --include='*_test.go' --exclude-dir=node_modules -o '^func Fuzz[A-Za-z0-9_]+' . | sed 's|/[^/]*:func | |' | \
	while read -r dir target; do \
	  echo "== $$target in $$dir"; \
	  go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$dir" || exit 1; \
	done
golden: ## rewrite our own golden files; look at the difference before you commit it
	go test $$(grep -rl --include='*_test.go' --exclude-dir=node_modules 'flag.Bool("update"' . | xargs -n1 dirname | sort -u) -update
demo:
	go run ./cmd/parley demo
bench:
	go test -run '^$$' -bench . -benchmem ./...
