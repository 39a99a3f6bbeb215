//! A connection whose first bytes were read already.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout_at};

/// Reads its first bytes from memory, all others from the connection.
pub(super) struct Rewound<IO> {
    first: Bytes,
    inner: IO,
}

/// Waits for the first `bytes_min` bytes of a connection until `by`, so that one that says nothing does not stay.
pub(super) async fn await_first_bytes<IO>(mut inner: IO, bytes_min: usize, by: Instant) -> io::Result<Rewound<IO>>
where
    IO: AsyncRead + Unpin,
{
    let mut first = BytesMut::with_capacity(1024);
    let read = async {
        while first.len() < bytes_min {
            if inner.read_buf(&mut first).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
        }
        Ok(())
    };
    timeout_at(by, read).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(Rewound { first: first.freeze(), inner })
}

impl<IO: AsyncRead + Unpin> AsyncRead for Rewound<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.inner).poll_read(context, buffer);
        }
        let length = self.first.len().min(buffer.remaining());
        buffer.put_slice(&self.first[..length]);
        self.first.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Rewound<IO> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt;

    use super::*;

    fn in_a_minute() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    #[tokio::test]
    async fn nothing_is_lost_between_the_first_bytes_and_the_rest() {
        let (mut client, server) = tokio::io::duplex(64);
        client.write_all(b"hello, ").await.expect("there is room");
        let mut rewound = await_first_bytes(server, 3, in_a_minute()).await.expect("they came");
        client.write_all(b"world").await.expect("there is room");
        drop(client);
        let mut text = String::new();
        rewound.read_to_string(&mut text).await.expect("it is text");
        assert_eq!(text, "hello, world");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_says_too_little_is_given_up() {
        let (mut client, server) = tokio::io::duplex(64);
        client.write_all(b"PR").await.expect("there is room");
        let error = await_first_bytes(server, 3, in_a_minute()).await.err().expect("it is given up");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
