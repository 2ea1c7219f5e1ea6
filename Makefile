# The two commands of the README are `make demo` and `make test`.
.DEFAULT_GOAL := help
.PHONY: help demo test lint openapi clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## Build, load the sample district and serve it
	cargo run --locked -- demo $(ARGS)

test: tests/tools/node_modules/.package-lock.json ## Run every test on both databases, with real servers
	tests/services.sh tests/run.sh

lint: ## Formatting and lints
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	if command -v shellcheck >/dev/null; then shellcheck .ci/run tests/*.sh; fi

openapi: ## Write openapi.yaml anew from the handlers
	cargo run --locked -q -- openapi > openapi.yaml.new && mv openapi.yaml.new openapi.yaml

clean: ## Remove what was built
	cargo clean
	rm -rf tests/tools/node_modules

tests/tools/node_modules/.package-lock.json: tests/tools/package-lock.json
	cd tests/tools && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
