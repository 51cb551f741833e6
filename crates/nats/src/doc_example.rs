//! The frame of the examples: a sandbox, a bot, and a queue on a NATS server.

/// An example of the documentation. It runs with the feature `server-tests`, and is compiled without it.
macro_rules! doc_example {
    ($code:literal) => {
        concat!(
            "\n```",
            $crate::doc_example::mode!(),
            "\n# #[tokio::main]\n# async fn main() -> Result<(), Box<dyn std::error::Error>> {\n",
            "# use tamtam::{Bot, Update};\n# use tamtam_nats::Queue;\n",
            "# let server = std::env::var(\"NATS_URL\").unwrap_or_else(|_| \"nats://127.0.0.1:4222\".to_owned());\n",
            "# let sandbox = tamtam_sandbox::Sandbox::max().await;\n",
            "# let (bot, alice) = (sandbox.bot(), sandbox.user(\"Alice\"));\n# alice.starts();\n",
            "# let nats = async_nats::connect(&server).await?;\n",
            // The examples share a server, and each stream reserves its maximum size on the server's disk.
            "# let name = format!(\"doc-{}\", std::process::id());\n",
            "# let queue = Queue::open(nats, &bot).name(name).max_bytes(1 << 20).await?;\n",
            $code,
            "# let _ = (&alice, &sandbox);\n# Ok(())\n# }\n```"
        )
    };
}
pub(crate) use doc_example;

#[cfg(feature = "server-tests")]
macro_rules! mode {
    () => {
        "rust"
    };
}
#[cfg(not(feature = "server-tests"))]
macro_rules! mode {
    () => {
        "rust,no_run"
    };
}
pub(crate) use mode;
