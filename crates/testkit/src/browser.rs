//! A browser without anything: sends one request, reads the answer.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer of the page.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names and values, as they came.
    pub headers: Vec<(String, String)>,
    /// The text behind the headers.
    pub body: String,
}

impl Answer {
    /// A header's value.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or_else(|| panic!("no header {name}: {:?}", self.headers), |(_, value)| value.as_str())
    }
}

/// Sends a request with these headers and this body.
pub async fn send(page: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = TcpStream::connect(page).await.expect("a connection");
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {page}\r\nConnection: close\r\n{}Content-Length: {}\r\n\r\n",
        headers.concat(),
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    // A server that refuses early may close before all was sent.
    let _ = stream.write_all(body.as_bytes()).await;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("an answer");
    let text = String::from_utf8(bytes).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
    Answer { status: status.expect("a status"), headers: headers.collect(), body: body.to_owned() }
}

/// Looks at a page.
pub async fn get(page: SocketAddr, path: &str) -> Answer {
    send(page, "GET", path, &[], "").await
}

/// Sends a form.
pub async fn post(page: SocketAddr, path: &str, form: &str) -> Answer {
    send(page, "POST", path, &[("Content-Type", "application/x-www-form-urlencoded")], form).await
}
