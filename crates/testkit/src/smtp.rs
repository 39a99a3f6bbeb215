//! A receiver of email on a real socket: speaks enough SMTP (RFC 5321) for any client, keeps what it takes, and refuses
//! what it is told to.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{MessageParser, MessagePart};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::inbox::Inbox;
use crate::tls::acceptor;

/// An email as it came, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedEmail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Name and address of `From`, decoded; the name is empty when there is none.
    pub from_header: (String, String),
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
        let has_text = message.text_body.iter().any(|part| message.part(*part).is_some_and(MessagePart::is_text));
        let html_part = message.html_body.first().and_then(|part| message.part(*part));
        let has_html = html_part.is_some_and(MessagePart::is_text_html);
        let text = if has_text { message.body_text(0).map(String::from) } else { None };
        let html = if has_html { message.body_html(0).map(String::from) } else { None };
        let sender = message.from().and_then(|senders| senders.first());
        let from_name = sender.and_then(|sender| sender.name()).unwrap_or_default();
        let from_address = sender.and_then(|sender| sender.address()).unwrap_or_default();
        Self {
            from,
            to,
            from_header: (from_name.to_owned(), from_address.to_owned()),
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
    protection: SmtpProtection,
}

/// What a receiver asks of its clients before it takes anything.
#[derive(Debug, Clone, Default)]
pub struct SmtpProtection {
    /// How the connection must be encrypted, with the certificate of [`tls`](crate::tls).
    pub tls: SmtpEncryption,
    /// The user and password that must be given, by `AUTH PLAIN`.
    pub login: Option<(String, String)>,
}

/// How a connection must be encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SmtpEncryption {
    /// Not at all.
    #[default]
    None,
    /// By `STARTTLS`.
    StartTls,
    /// From the first byte on.
    Implicit,
}

impl SmtpReceiver {
    /// A receiver that takes everything, without TLS.
    pub async fn start() -> Self {
        Self::start_with(SmtpProtection::default()).await
    }

    /// A receiver that takes everything from those who meet its conditions.
    pub async fn start_with(protection: SmtpProtection) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on the loopback address");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            inbox: Inbox::new(),
            refusals: Mutex::default(),
            refused_recipients: Mutex::default(),
            held: watch::Sender::new(false),
            connections: AtomicUsize::new(0),
            protection,
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

    /// Takes what is for a recipient that was refused before.
    pub fn accept_recipient(&self, address: &str) {
        self.shared.refused_recipients.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
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

/// A connection, encrypted or not.
trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

type Connection = BufReader<Box<dyn Io>>;

/// What is known of a client.
#[derive(Default)]
struct Conversation {
    is_encrypted: bool,
    is_logged_in: bool,
    from: String,
    to: Vec<String>,
}

async fn converse(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut known = Conversation::default();
    let mut stream: Box<dyn Io> = Box::new(stream);
    if shared.protection.tls == SmtpEncryption::Implicit {
        stream = Box::new(acceptor().accept(stream).await?);
        known.is_encrypted = true;
    }
    let mut stream: Connection = BufReader::new(stream);
    if let Some(refusal) = shared.refusal(SmtpStep::Connect) {
        return reply(&mut stream, &refusal).await;
    }
    reply(&mut stream, "220 testkit ESMTP").await?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let command = line.trim_end();
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "QUIT" => return reply(&mut stream, "221 bye").await,
            "STARTTLS" if known.may_encrypt(shared) => {
                reply(&mut stream, "220 go on").await?;
                stream = BufReader::new(Box::new(acceptor().accept(stream.into_inner()).await?));
                known = Conversation { is_encrypted: true, ..Conversation::default() };
            }
            "DATA" if !known.to.is_empty() => {
                reply(&mut stream, "354 go on").await?;
                let raw = read_content(&mut stream).await?;
                let envelope = (std::mem::take(&mut known.from), std::mem::take(&mut known.to));
                let answer = take(shared, envelope, raw).await;
                reply(&mut stream, &answer).await?;
            }
            _ => {
                let answer = known.answer(shared, &verb, command);
                reply(&mut stream, &answer).await?;
            }
        }
    }
}

impl Conversation {
    fn may_encrypt(&self, shared: &Shared) -> bool {
        shared.protection.tls == SmtpEncryption::StartTls && !self.is_encrypted
    }

    fn answer(&mut self, shared: &Shared, verb: &str, command: &str) -> String {
        let is_admitted = !self.may_encrypt(shared) && (self.is_logged_in || shared.protection.login.is_none());
        let answer = match verb {
            "EHLO" => {
                let starttls = if self.may_encrypt(shared) { "250-STARTTLS\r\n" } else { "" };
                let auth = if shared.protection.login.is_some() { "250-AUTH PLAIN\r\n" } else { "" };
                return format!("250-testkit\r\n{starttls}{auth}250-8BITMIME\r\n250 SMTPUTF8");
            }
            "HELO" | "NOOP" => "250 ok",
            "RSET" => {
                (self.from, self.to) = (String::new(), Vec::new());
                "250 ok"
            }
            "AUTH" => {
                self.is_logged_in = shared.protection.admits(command);
                if self.is_logged_in { "235 welcome" } else { "535 5.7.8 wrong user or password" }
            }
            "MAIL" | "RCPT" if !is_admitted => "530 5.7.0 encrypt and log in first",
            "MAIL" => {
                if let Some(refusal) = shared.refusal(SmtpStep::Mail) {
                    return refusal;
                }
                self.from = address_of(command);
                "250 ok"
            }
            "RCPT" => {
                let address = address_of(command);
                let refusal = shared.refusal(SmtpStep::Recipient).or_else(|| shared.recipient_refusal(&address));
                if let Some(refusal) = refusal {
                    return refusal;
                }
                self.to.push(address);
                "250 ok"
            }
            "DATA" => "503 no recipients",
            _ => "502 not known here",
        };
        answer.to_owned()
    }
}

impl SmtpProtection {
    /// `AUTH PLAIN` with the base64 of `\0user\0password`.
    fn admits(&self, command: &str) -> bool {
        let Some((user, password)) = &self.login else { return false };
        let expected = STANDARD.encode(format!("\0{user}\0{password}"));
        command.strip_prefix("AUTH PLAIN ").is_some_and(|given| given == expected)
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

async fn reply(stream: &mut Connection, text: &str) -> io::Result<()> {
    stream.get_mut().write_all(format!("{text}\r\n").as_bytes()).await?;
    stream.get_mut().flush().await
}

/// Up to the line with a single dot; the dot that begins a line was doubled by the client.
async fn read_content(stream: &mut Connection) -> io::Result<Vec<u8>> {
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
