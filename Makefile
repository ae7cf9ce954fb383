.PHONY: test check demo bench fuzz
FUZZTIME ?= 10m

test: ## everything, with what it needs
	./test/all
check: ## the quick part
	go vet ./... && go tool staticcheck ./... && go test ./...
demo:
	go run ./cmd/parley demo
bench:
	go test -run '^$$' -bench . -benchmem ./...
fuzz: ## every target in turn, FUZZTIME each
	@for t in $$(grep -rhoE --include='*_test.go' 'func Fuzz[A-Za-z0-9]+' . | sed 's/func //'); do \
	  pkg=$$(dirname $$(grep -rlE --include='*_test.go' "func $$t\(" . | head -1)); \
	  go test -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; done
