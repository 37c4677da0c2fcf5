//! A proxy between two processes that delays, cuts and swallows what passes.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// What the proxy does now; every connection obeys at once.
#[derive(Default)]
struct Faults {
    delay_ms: AtomicU64,
    /// Bytes are read and thrown away: a half-open connection.
    black_hole: AtomicBool,
    /// New connections are closed at once.
    refuse: AtomicBool,
    /// New connections are taken, and nobody ever says a word.
    deaf: AtomicBool,
    /// Bytes a second and direction; 0 sets no limit.
    bytes_a_second: AtomicU64,
    /// What ends, ends with RST.
    reset: AtomicBool,
    /// The connection is cut when the client's `COMMIT` has been passed on, this many times.
    cut_commits: AtomicU64,
}

/// A running proxy; it ends with this value.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    faults: Arc<Faults>,
    cut: watch::Sender<u64>,
    serving: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port and passes everything on to `target`.
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let faults = Arc::new(Faults::default());
        let cut = watch::Sender::new(0);
        let serving = tokio::spawn(serve(listener, target, faults.clone(), cut.clone()));
        Self {
            address,
            faults,
            cut,
            serving,
        }
    }

    /// Every piece waits so long.
    pub(crate) fn delay(&self, delay: Duration) {
        let millis = u64::try_from(delay.as_millis()).unwrap();
        self.faults.delay_ms.store(millis, Ordering::SeqCst);
    }

    /// What is sent vanishes, and nobody is told.
    pub(crate) fn black_hole(&self, on: bool) {
        self.faults.black_hole.store(on, Ordering::SeqCst);
    }

    /// So many bytes a second pass in each direction; 0 sets no limit.
    pub(crate) fn bytes_a_second(&self, rate: u64) {
        self.faults.bytes_a_second.store(rate, Ordering::SeqCst);
    }

    /// New connections are taken and never answered.
    pub(crate) fn deaf(&self, on: bool) {
        self.faults.deaf.store(on, Ordering::SeqCst);
    }

    /// Cuts every connection by RST.
    pub(crate) fn reset(&self) {
        self.faults.reset.store(true, Ordering::SeqCst);
        self.cut();
    }

    /// All is well again. A line that lost bytes is of no use any more, so those that stand are cut.
    pub(crate) fn heal(&self) {
        self.delay(Duration::ZERO);
        self.bytes_a_second(0);
        self.black_hole(false);
        self.deaf(false);
        self.refuse(false);
        self.cut();
        self.faults.reset.store(false, Ordering::SeqCst);
    }

    /// New connections are closed at once, and those that stand are cut.
    pub(crate) fn refuse(&self, on: bool) {
        self.faults.refuse.store(on, Ordering::SeqCst);
        if on {
            self.cut();
        }
    }

    /// Cuts every connection.
    pub(crate) fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    /// Cuts the next connections right after their COMMIT has gone to the server; the answer never comes back.
    pub(crate) fn cut_after_commit(&self, times: u64) {
        self.faults.cut_commits.store(times, Ordering::SeqCst);
    }

    /// How many of these cuts are still to come.
    pub(crate) fn commits_to_cut(&self) -> u64 {
        self.faults.cut_commits.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, target: SocketAddr, faults: Arc<Faults>, cut: watch::Sender<u64>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        if faults.refuse.load(Ordering::SeqCst) {
            continue;
        }
        tokio::spawn(pass(client, target, faults.clone(), cut.subscribe()));
    }
}

async fn pass(client: TcpStream, target: SocketAddr, faults: Arc<Faults>, mut cut: watch::Receiver<u64>) {
    if faults.deaf.load(Ordering::SeqCst) {
        drop(cut.changed().await);
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    drop((client.set_nodelay(true), server.set_nodelay(true)));
    let (mut client_read, mut client_write) = client.into_split();
    let (mut server_read, mut server_write) = server.into_split();
    tokio::select! {
        () = pipe(&mut client_read, &mut server_write, &faults, true) => {}
        () = pipe(&mut server_read, &mut client_write, &faults, false) => {}
        _ = cut.changed() => {}
    }
    if faults.reset.load(Ordering::SeqCst) {
        let (client, server): (&TcpStream, &TcpStream) = (client_read.as_ref(), server_read.as_ref());
        drop((client.set_zero_linger(), server.set_zero_linger()));
    }
}

/// Passes on until one side ends; true for what the client says.
async fn pipe(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, faults: &Faults, of_client: bool) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match from.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => read,
        };
        let delay = faults.delay_ms.load(Ordering::SeqCst);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        let rate = faults.bytes_a_second.load(Ordering::SeqCst);
        if rate > 0 {
            tokio::time::sleep(Duration::from_secs_f64(read as f64 / rate as f64)).await;
        }
        if faults.black_hole.load(Ordering::SeqCst) {
            continue;
        }
        let piece = &buffer[..read];
        if to.write_all(piece).await.is_err() {
            return;
        }
        if of_client && is_commit(piece) && take_one(&faults.cut_commits) {
            // The server has the COMMIT and may do it; the client will never know.
            tokio::time::sleep(Duration::from_millis(20)).await;
            return;
        }
    }
}

fn is_commit(piece: &[u8]) -> bool {
    piece.windows(6).any(|window| window.eq_ignore_ascii_case(b"COMMIT"))
}

fn take_one(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
        .is_ok()
}
