//! Connections that have shaken hands. A handshake is done beside the others and in bounded time, so that a caller who
//! says nothing holds up nobody.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use super::{Security, audit, caller::Caller};

/// Handshakes at once; whoever comes on top is turned away.
const HANDSHAKES: usize = 256;
/// Connections that wait for the server to take them.
const WAITING: usize = 64;
/// Pause when the system gives no connection, e.g. because there are too many open files.
const BREATH: Duration = Duration::from_millis(50);

/// A connection with TLS, and who is at its other end.
pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    peer: Peer,
}

/// The other end of a connection with TLS: an extension of its requests.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Who showed a certificate.
    pub(crate) holder: Option<Caller>,
}

/// The connections of `listener` after their handshakes, until nobody takes them any more.
pub(crate) fn connections(listener: TcpListener, security: Security) -> ReceiverStream<io::Result<Connection>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(accept(listener, security, sender));
    ReceiverStream::new(receiver)
}

async fn accept(listener: TcpListener, security: Security, sender: mpsc::Sender<io::Result<Connection>>) {
    let places = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let accepted = tokio::select! {
            () = sender.closed() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, address)) = accepted else {
            sleep(BREATH).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            audit::refused_connection(&security, address, "too many handshakes at once");
            continue;
        };
        let (security, sender) = (security.clone(), sender.clone());
        tokio::spawn(async move {
            let shaken = shake(stream, address, &security).await;
            drop(place);
            match shaken {
                Ok(connection) => drop(sender.send(Ok(connection)).await),
                Err(fault) => audit::refused_connection(&security, address, &fault.to_string()),
            }
        });
    }
}

async fn shake(stream: TcpStream, address: SocketAddr, security: &Security) -> io::Result<Connection> {
    stream.set_nodelay(true)?;
    let config = security.server_config().ok_or(io::ErrorKind::Unsupported)?;
    let patience = Duration::from_millis(security.settings().tls.handshake_ms);
    let shaken = timeout(patience, TlsAcceptor::from(config).accept(stream)).await;
    let stream = shaken.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let holder = shown.and_then(|certificate| super::tls::holder(certificate, security.settings()));
    let peer = Peer { address, holder };
    Ok(Connection { stream, peer })
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buffer)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
