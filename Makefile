# Names for plain commands; the commands are the interface.
.PHONY: axe screenshots test check race fuzz golden demo bench soak mutants measure release
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
OPS ?= 50000
soak: ## everything by chance, OPS times; nothing may reach whom it is not for (docs/leaks.md)
	PARLEY_CANARY_OPS=$(OPS) PARLEY_CANARY_SEED=$$(date +%s) go test -timeout 4h -v -run TestNothingReaches ./test/leak
mutants: ## switch each guard off in turn; a test has to notice (docs/leaks.md)
	PARLEY_MUTANTS=all go test -timeout 2h -v -run TestMutantsAreNoticed ./test/leak
golden: ## rewrite our own golden files; look at the difference before you commit it
	go test $$(grep -rl --include='*_test.go' --exclude-dir=node_modules 'flag.Bool("update"' . | xargs -n1 dirname | sort -u) -update
demo:
	go run ./cmd/parley demo
release: ## binaries for every system into dist/, with sums, licences and what is in each
	go run ./deploy/release
bench:
	go test -run '^$$' -bench . -benchmem ./...
measure: ## how quick the pages are, in Chromium and on the server (docs/performance.md)
	cd test/lighthouse && npm ci --no-audit --no-fund
	PARLEY_MEASURE=1 go test -count=1 -timeout 20m -v -run 'TestLighthouse|TestInteractions|TestHomeOfManyPosts|Light$$' ./web
screenshots: ## pictures of the main pages with the demo's people, into docs/screenshots
	mkdir -p docs/screenshots
	PARLEY_SCREENSHOTS=$(CURDIR)/docs/screenshots go test -count=1 -v -run TestScreenshots ./web
axe: ## every page in every form, in Chromium with axe-core (docs/accessibility.md)
	cd test/peers && npm ci --no-audit --no-fund
	PARLEY_TEST_PEERS=$(CURDIR)/test/peers PARLEY_AXE=all go test -count=1 -timeout 20m -v -run TestAccessible ./web
