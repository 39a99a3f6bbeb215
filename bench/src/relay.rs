//! A receiver of email on a socket that notes when it took what: as much of SMTP (RFC 5321) as the services say.
//!
//! The one of `mainstay-testkit` takes messages apart and does not say when they came; this one does as little as it can, so
//! that its speed is not what is measured. [`Relay::capacity`] shows how fast it is by itself.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use mainstay_delivery::{DeliverySettings, SmtpSettings};
use mainstay_domain::{Clock, SystemClock};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Where the answer page is for customers; links in mails begin so.
pub(crate) const PAGE_URL: &str = "http://survey.example.com";
/// Of a conversation with one message; as large as the one that tells of an alert.
const SAMPLE_BYTES: usize = 1_000;

/// A message that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    /// The envelope's recipient.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// The path of the first link to an answer page, if there is one.
    pub answer_path: Option<String>,
    /// When the client could have been told that it was taken.
    pub at: DateTime<Utc>,
}

/// The receiver, on a port of its own. It ends when dropped.
pub(crate) struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    taken: Mutex<Vec<Mail>>,
    connections: AtomicUsize,
}

impl Shared {
    fn taken(&self) -> MutexGuard<'_, Vec<Mail>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Relay {
    /// A receiver that takes everything.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// How a service sends to it: as by default, but without TLS.
    pub(crate) fn delivery(&self) -> anyhow::Result<DeliverySettings> {
        let from = "Mainstay <mainstay@example.com>".parse().context("a mailbox")?;
        let smtp = Some(SmtpSettings::local(self.address.port(), from));
        Ok(DeliverySettings { smtp, allow_private_addresses: true, ..DeliverySettings::default() })
    }

    /// What was taken and is looked for.
    pub(crate) fn mails(&self, wanted: impl Fn(&Mail) -> bool) -> Vec<Mail> {
        self.shared.taken().iter().filter(|mail| wanted(mail)).cloned().collect()
    }

    /// How many were taken.
    pub(crate) fn count(&self) -> usize {
        self.shared.taken().len()
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Waits until so many of those that are looked for were taken, or for so long nothing came; answers how many.
    pub(crate) async fn wait_for(&self, count: usize, patience: Duration, wanted: impl Fn(&Mail) -> bool) -> usize {
        let (mut seen, mut seen_at) = (0, Instant::now());
        loop {
            let now_there = self.shared.taken().iter().filter(|mail| wanted(mail)).count();
            if now_there > seen {
                (seen, seen_at) = (now_there, Instant::now());
            }
            if seen >= count || seen_at.elapsed() > patience {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Messages a second that one like this takes from so many clients that do nothing but send.
    pub(crate) async fn capacity(clients: usize, duration: Duration) -> anyhow::Result<f64> {
        let relay = Self::start().await?;
        let mut sending = JoinSet::new();
        let started = Instant::now();
        for _ in 0..clients {
            sending.spawn(send_until(relay.address, started + duration));
        }
        while let Some(sent) = sending.join_next().await {
            sent??;
        }
        Ok(crate::report::per_second(relay.count(), started.elapsed()))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut conversations = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::clone(&shared);
        // A client that goes away ends its conversation and nothing else.
        conversations.spawn(async move { converse(stream, &shared).await.unwrap_or_default() });
    }
}

async fn converse(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 bench ESMTP\r\n").await?;
    let (mut line, mut to) = (String::new(), String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer: &[u8] = match line.get(..4).unwrap_or_default() {
            "EHLO" => b"250-bench\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
            "RCPT" => {
                let address = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
                to = address.map_or_else(String::new, |(address, _)| address.to_owned());
                b"250 ok\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let content = read_content(&mut stream).await?;
                let (subject, answer_path) = (subject_of(&content), answer_path_of(&content));
                let mail = Mail { to: std::mem::take(&mut to), subject, answer_path, at: SystemClock.now() };
                shared.taken().push(mail);
                b"250 taken\r\n"
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n").await,
            _ => b"250 ok\r\n",
        };
        stream.write_all(answer).await?;
    }
}

/// Up to the line with a single dot.
async fn read_content(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut content = Vec::with_capacity(4_096);
    while !content.ends_with(b"\r\n.\r\n") {
        if stream.read_until(b'\n', &mut content).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(String::from_utf8_lossy(&content).into_owned())
}

fn subject_of(content: &str) -> String {
    let line = content.split("\r\n").find_map(|line| line.strip_prefix("Subject: "));
    line.unwrap_or_default().to_owned()
}

/// The soft line breaks of quoted-printable are taken out of it.
fn answer_path_of(content: &str) -> Option<String> {
    let marker = format!("{PAGE_URL}/a/");
    let unbroken = content.replace("=\r\n", "");
    let (_, rest) = unbroken.split_once(&marker)?;
    let token: String =
        rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')).collect();
    Some(format!("/a/{token}"))
}

/// One client: a connection, and one message after another.
async fn send_until(address: SocketAddr, until: Instant) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let content = format!("Subject: A sample\r\n\r\n{}\r\n.\r\n", "x".repeat(SAMPLE_BYTES));
    hear(&mut stream).await?;
    while Instant::now() < until {
        for words in ["MAIL FROM:<a@example.com>\r\n", "RCPT TO:<b@example.com>\r\n", "DATA\r\n", &content] {
            stream.write_all(words.as_bytes()).await?;
            hear(&mut stream).await?;
        }
    }
    Ok(())
}

async fn hear(stream: &mut TcpStream) -> anyhow::Result<()> {
    let mut answer = [0; 128];
    let length = stream.read(&mut answer).await?;
    ensure!(length > 0 && answer[..length].ends_with(b"\r\n"), "the relay said half a line or nothing");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_and_link_are_found_also_across_a_soft_line_break() {
        let content = "To: a@b.example\r\nSubject: Customer 1: hello\r\n\r\n 0: http://survey.exam=\r\nple.com/a/AbC-_9?score=3D0\r\n";
        assert_eq!(subject_of(content), "Customer 1: hello");
        assert_eq!(answer_path_of(content).as_deref(), Some("/a/AbC-_9"));
        assert_eq!(answer_path_of("nothing"), None);
    }
}
