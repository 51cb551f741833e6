//! A fleet on one machine: the messenger, NATS servers, receivers and workers.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tamtam_nats::{Queue, async_nats::jetstream};
use tamtam_sandbox::{Fault, Person, Sandbox};
use tokio::time::sleep;

use crate::{
    history::History,
    process::now,
    server::{NatsServer, cluster, connect, urls},
};

/// A process of the fleet.
pub(crate) struct Process {
    child: Child,
    pub(crate) log: PathBuf,
}

pub(crate) struct Fleet {
    pub(crate) sandbox: Sandbox,
    pub(crate) servers: Vec<NatsServer>,
    pub(crate) queue: Queue,
    people: Vec<Person>,
    pub(crate) receivers: Vec<Process>,
    pub(crate) workers: Vec<Process>,
    folder: PathBuf,
    /// The logs of workers that have ended. Each has the time of its kill, if the worker was killed.
    ended: Vec<(PathBuf, Option<u64>)>,
    handler: Duration,
    number: usize,
}

impl Fleet {
    /// Starts servers and opens a queue. `chats` people talk to the bot.
    pub(crate) async fn start(servers: usize, chats: usize, handler: Duration) -> Self {
        let sandbox = Sandbox::start().await;
        let people = (0..chats).map(|number| sandbox.user(format!("Person {number}"))).collect();
        let servers = if servers == 1 { vec![NatsServer::start()] } else { cluster() };
        let nats = connect(&urls(&servers)).await;
        let opening = Queue::open(nats, &sandbox.bot()).replicas(servers.len());
        let queue = opening.ack_wait(Duration::from_secs(3)).timeout(Duration::from_secs(120)).await.unwrap();
        let folder = env::temp_dir().join(format!("tamtam-fleet-{}-{}", std::process::id(), now()));
        fs::create_dir_all(&folder).unwrap();
        let (receivers, workers, ended) = (Vec::new(), Vec::new(), Vec::new());
        Self { sandbox, servers, queue, people, receivers, workers, folder, ended, handler, number: 0 }
    }

    /// Lets each person say each of the numbers.
    pub(crate) fn talk(&self, numbers: std::ops::Range<usize>) {
        for number in numbers {
            for person in &self.people {
                person.says(number.to_string());
            }
        }
    }

    /// Makes one poll in five fail, with three kinds of faults in turn.
    pub(crate) fn polls_fail(&self) {
        let (polls, sandbox) = (Arc::new(AtomicUsize::new(0)), self.sandbox.clone());
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        self.sandbox.on_exchange(move |exchange| {
            if exchange.operation() == Some("getUpdates") && polls.fetch_add(1, Ordering::Relaxed) % 5 == 3 {
                let _ = tell.send(());
            }
        });
        tokio::spawn(async move {
            let mut faults = (0..).map(|number| match number % 3 {
                0 => Fault::reset().applied(true),
                1 => Fault::cut_body(),
                _ => Fault::status(502),
            });
            while told.recv().await.is_some() {
                sandbox.fails("getUpdates", faults.next().unwrap());
            }
        });
    }

    fn spawn(&mut self, role: &str) -> Process {
        self.number += 1;
        let log = self.folder.join(format!("{role}-{}", self.number));
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .arg(role)
            .env("FLEET_LOG", &log)
            .env("FLEET_TOKEN", self.sandbox.token())
            .env("FLEET_API", self.sandbox.base_url())
            .env("FLEET_NATS", urls(&self.servers))
            .env("FLEET_HANDLER_US", self.handler.as_micros().to_string());
        Process { child: command.spawn().unwrap(), log }
    }

    pub(crate) fn add_receiver(&mut self) {
        let receiver = self.spawn("receive");
        self.receivers.push(receiver);
    }

    pub(crate) fn add_worker(&mut self) {
        let worker = self.spawn("work");
        self.workers.push(worker);
    }

    /// Kills a worker, as `kill -9` does. Returns the time of the kill, in Unix nanoseconds.
    pub(crate) fn kill_worker(&mut self, index: usize) -> u64 {
        let mut worker = self.workers.remove(index);
        worker.child.kill().unwrap();
        worker.child.wait().unwrap();
        let killed = now();
        self.ended.push((worker.log, Some(killed)));
        killed
    }

    /// Stops a worker by SIGTERM, and waits until it has ended.
    pub(crate) async fn stop_worker(&mut self, index: usize) {
        let worker = self.workers.remove(index);
        let log = worker.log.clone();
        stop(worker).await;
        self.ended.push((log, None));
    }

    /// Returns the index of the receiver that polls.
    fn active(&self) -> usize {
        let last = |process: &Process| {
            let text = fs::read_to_string(&process.log).unwrap_or_default();
            text.lines().next_back().and_then(|line| line.split(' ').nth(1)?.parse::<u64>().ok())
        };
        (0..self.receivers.len()).max_by_key(|index| last(&self.receivers[*index])).unwrap()
    }

    pub(crate) fn kill_receiver(&mut self) {
        let index = self.active();
        let mut receiver = self.receivers.remove(index);
        receiver.child.kill().unwrap();
        receiver.child.wait().unwrap();
    }

    pub(crate) async fn stop_receiver(&mut self) {
        let index = self.active();
        let receiver = self.receivers.remove(index);
        stop(receiver).await;
    }

    /// Kills the server that leads the stream, and starts it again.
    pub(crate) async fn kill_leader(&mut self) {
        let context = jetstream::new(connect(&urls(&self.servers)).await);
        let stream = context.get_stream(self.queue.name()).await.unwrap();
        let leader = stream.cached_info().cluster.as_ref().and_then(|cluster| cluster.leader.clone()).unwrap();
        let index: usize = leader.trim_start_matches('n').parse().unwrap();
        self.servers[index].kill();
        sleep(Duration::from_secs(3)).await;
        self.servers[index].restart();
    }

    /// Kills all servers, and starts them again.
    pub(crate) async fn kill_servers(&mut self) {
        self.servers.iter_mut().for_each(NatsServer::kill);
        sleep(Duration::from_secs(1)).await;
        self.servers.iter_mut().for_each(NatsServer::restart);
    }

    /// Sends a signal to a worker.
    pub(crate) fn signal(&self, index: usize, signal: &str) {
        send(signal, self.workers[index].child.id());
    }

    /// Returns the number of handler calls that have ended.
    pub(crate) fn handled(&self) -> usize {
        let logs = self.ended.iter().map(|(log, _)| log).chain(self.workers.iter().map(|worker| &worker.log));
        logs.map(|log| ended(log)).sum()
    }

    /// Returns the number of updates that were stored so far.
    pub(crate) async fn stored(&self) -> u64 {
        let context = jetstream::new(connect(&urls(&self.servers)).await);
        let Ok(stream) = context.get_stream(self.queue.name()).await else { return 0 };
        stream.cached_info().state.last_sequence
    }

    /// Waits until at least `calls` handler calls have ended. Panics if no call ends for two minutes.
    pub(crate) async fn until_handled(&self, calls: usize) {
        let (mut last, mut since) = (0, std::time::Instant::now());
        loop {
            let handled = self.handled();
            if handled >= calls {
                return;
            }
            if handled > last {
                (last, since) = (handled, std::time::Instant::now());
            }
            assert!(
                since.elapsed() < Duration::from_secs(120),
                "{handled} of {calls} handler calls have ended, and none in the last 120 s"
            );
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the queue is empty, for at most two minutes. Returns the history of its updates.
    pub(crate) async fn history(&self) -> History {
        for _ in 0..600 {
            if self.queue.lag().await.is_ok_and(|lag| lag.waiting + lag.in_flight == 0) {
                break;
            }
            sleep(Duration::from_millis(200)).await;
        }
        let mut logs = self.ended.clone();
        logs.extend(self.workers.iter().map(|worker| (worker.log.clone(), None)));
        History::read(&logs)
    }

    /// Returns the resident memory of a process, in MiB.
    pub(crate) fn memory(process: &Process) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", process.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for process in self.receivers.iter_mut().chain(&mut self.workers) {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
        if env::var_os("FLEET_KEEP").is_none() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn ended(log: &Path) -> usize {
    fs::read_to_string(log).unwrap_or_default().lines().filter(|line| line.starts_with('e')).count()
}

async fn stop(process: Process) {
    let Process { mut child, .. } = process;
    send("TERM", child.id());
    while child.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(20)).await;
    }
}

fn send(signal: &str, pid: u32) {
    let sent = Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status().unwrap();
    assert!(sent.success());
}
