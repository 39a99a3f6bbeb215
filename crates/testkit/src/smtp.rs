//! A receiver of email on a real socket: speaks enough SMTP (RFC 5321) for any client, keeps what it takes, and refuses
//! what it is told to.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mail_parser::MessageParser;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::inbox::Inbox;

/// An email as it came, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedEmail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// `Message-ID`, without its brackets.
    pub message_id: String,
    /// The subject, decoded.
    pub subject: String,
    /// The text, decoded; empty when there is none.
    pub text: String,
    /// The HTML, decoded; empty when there is none.
    pub html: String,
    /// All headers in their order, as they stand in the message, folds and the space around them taken off.
    pub headers: Vec<(String, String)>,
    /// The message as it was transferred.
    pub raw: Vec<u8>,
}

impl ReceivedEmail {
    /// A header's value, by its name in any case. Panics when there is none.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        match self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, value)) => value,
            None => panic!("no header {name} among {:?}", self.headers),
        }
    }

    fn parse(from: String, to: Vec<String>, raw: Vec<u8>) -> Self {
        let message = MessageParser::default().parse(&raw).expect("an email");
        let headers = message
            .headers_raw()
            .map(|(name, value)| (name.to_owned(), value.replace(['\r', '\n'], "").trim().to_owned()))
            .collect();
        // A message without a part of the kind has it made up from the other by the parser.
        let has_text = message.text_body.iter().any(|part| message.part(*part).is_some_and(|part| part.is_text()));
        let html_part = message.html_body.first().and_then(|part| message.part(*part));
        let has_html = html_part.is_some_and(mail_parser::MessagePart::is_text_html);
        let text = if has_text { message.body_text(0).map(String::from) } else { None };
        let html = if has_html { message.body_html(0).map(String::from) } else { None };
        Self {
            from,
            to,
            message_id: message.message_id().unwrap_or_default().to_owned(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: text.unwrap_or_default(),
            html: html.unwrap_or_default(),
            headers,
            raw,
        }
    }
}

/// A step of the conversation whose answer can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SmtpStep {
    /// The greeting of a connection.
    Connect,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`.
    Recipient,
    /// The end of the content.
    Content,
}

/// The receiver, on a port of its own on the loopback address. It ends when dropped.
#[derive(Debug)]
pub struct SmtpReceiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    inbox: Inbox<ReceivedEmail>,
    refusals: Mutex<HashMap<SmtpStep, VecDeque<String>>>,
    refused_recipients: Mutex<HashMap<String, String>>,
    held: watch::Sender<bool>,
    connections: AtomicUsize,
}

impl SmtpReceiver {
    /// A receiver that takes everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on the loopback address");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            inbox: Inbox::new(),
            refusals: Mutex::default(),
            refused_recipients: Mutex::default(),
            held: watch::Sender::new(false),
            connections: AtomicUsize::new(0),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, task }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Refuses at this step as often as there are replies, with each once: `451 4.3.0 try later`.
    pub fn refuse_next(&self, step: SmtpStep, replies: impl IntoIterator<Item = &'static str>) {
        let mut refusals = self.shared.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.entry(step).or_default().extend(replies.into_iter().map(str::to_owned));
    }

    /// From now on refuses this recipient with this reply: `550 5.1.1 no such user`.
    pub fn refuse_recipient(&self, address: &str, reply: &str) {
        let mut refused = self.shared.refused_recipients.lock().unwrap_or_else(PoisonError::into_inner);
        refused.insert(address.to_owned(), reply.to_owned());
    }

    /// Keeps what comes, but does not say so until [`release`](Self::release): as a relay that hangs at the end.
    pub fn hold(&self) {
        self.shared.held.send_replace(true);
    }

    /// Answers what was held, and what is to come.
    pub fn release(&self) {
        self.shared.held.send_replace(false);
    }

    /// How many connections have been made so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The emails so far, in the order in which they were transferred.
    pub fn emails(&self) -> Vec<ReceivedEmail> {
        self.shared.inbox.items()
    }

    /// All emails, once there are at least `count`. Panics after 30 s.
    pub async fn wait_for(&self, count: usize) -> Vec<ReceivedEmail> {
        self.shared.inbox.wait_for(count).await
    }
}

impl Drop for SmtpReceiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn refusal(&self, step: SmtpStep) -> Option<String> {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.get_mut(&step).and_then(VecDeque::pop_front)
    }

    fn recipient_refusal(&self, address: &str) -> Option<String> {
        let refused = self.refused_recipients.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(address).cloned()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut conversations = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(&shared);
        // A client that goes away in the middle ends its conversation and nothing else.
        conversations.spawn(async move { converse(stream, &shared).await.unwrap_or_default() });
    }
}

async fn converse(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    if let Some(refusal) = shared.refusal(SmtpStep::Connect) {
        return reply(&mut stream, &refusal).await;
    }
    reply(&mut stream, "220 testkit ESMTP").await?;
    let (mut from, mut to) = (String::new(), Vec::new());
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let command = line.trim_end();
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-testkit\r\n250-8BITMIME\r\n250 SMTPUTF8".to_owned(),
            "HELO" | "NOOP" => "250 ok".to_owned(),
            "RSET" => {
                (from, to) = (String::new(), Vec::new());
                "250 ok".to_owned()
            }
            "MAIL" => shared.refusal(SmtpStep::Mail).unwrap_or_else(|| {
                from = address_of(command);
                "250 ok".to_owned()
            }),
            "RCPT" => {
                let address = address_of(command);
                let refusal = shared.refusal(SmtpStep::Recipient).or_else(|| shared.recipient_refusal(&address));
                refusal.unwrap_or_else(|| {
                    to.push(address);
                    "250 ok".to_owned()
                })
            }
            "DATA" if to.is_empty() => "503 no recipients".to_owned(),
            "DATA" => {
                reply(&mut stream, "354 go on").await?;
                let raw = read_content(&mut stream).await?;
                let envelope = (std::mem::take(&mut from), std::mem::take(&mut to));
                take(shared, envelope, raw).await
            }
            "QUIT" => return reply(&mut stream, "221 bye").await,
            _ => "502 not known here".to_owned(),
        };
        reply(&mut stream, &answer).await?;
    }
}

async fn take(shared: &Shared, (from, to): (String, Vec<String>), raw: Vec<u8>) -> String {
    if let Some(refusal) = shared.refusal(SmtpStep::Content) {
        return refusal;
    }
    shared.inbox.push(ReceivedEmail::parse(from, to, raw));
    // Ends with the receiver, which holds the sender.
    let _ = shared.held.subscribe().wait_for(|held| !held).await;
    "250 taken".to_owned()
}

async fn reply(stream: &mut BufReader<TcpStream>, text: &str) -> io::Result<()> {
    stream.get_mut().write_all(format!("{text}\r\n").as_bytes()).await
}

/// Up to the line with a single dot; the dot that begins a line was doubled by the client.
async fn read_content(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let start = content.len();
        if stream.read_until(b'\n', &mut content).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if content[start..] == *b".\r\n" {
            content.truncate(start);
            return Ok(content);
        }
        if content[start] == b'.' {
            content.remove(start);
        }
    }
}

/// What stands between `<` and `>`.
fn address_of(command: &str) -> String {
    let rest = command.split_once('<').map_or("", |(_, rest)| rest);
    rest.split_once('>').map_or("", |(address, _)| address).to_owned()
}
