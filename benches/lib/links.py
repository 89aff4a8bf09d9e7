"""What stands between client and registry: a slow link of toxiproxy, and a proxy that counts bytes and cuts connections."""
import json
import socket
import threading
import urllib.request

from lib.servers import Server, free_port

ROUND_TRIP_MS = 50
CONNECTION_KB = 50_000
LINK_KB = 400_000
BLOCK = 256 * 1024
#: How the first line of every request of HTTP/1.1 ends, and nothing else that a client sends.
REQUEST_END = b" HTTP/1.1\r\n"


class SlowLink(Server):
    """50 ms round trip and 50 MB/s a connection; the 400 MB/s of the link are eight connections."""

    def __init__(self, folder, upstream):
        control = free_port()
        super().__init__("toxiproxy", ["toxiproxy-server", "-port", str(control)], control, folder / "toxiproxy.log")
        listen = free_port()
        self.post("/proxies", name="link", listen=f"127.0.0.1:{listen}", upstream=upstream, enabled=True)
        for stream in ("upstream", "downstream"):
            self.toxic(stream, "latency", latency=ROUND_TRIP_MS // 2)
            self.toxic(stream, "bandwidth", rate=CONNECTION_KB)
        self.port = listen

    def toxic(self, stream, kind, **attributes):
        self.post("/proxies/link/toxics", name=f"{kind}-{stream}", type=kind, stream=stream, attributes=attributes)

    def post(self, path, **body):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode())
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).close()


class CountingProxy:
    """Forwards TCP connections and counts what passes, and the requests in it. With `cut_after`, each connection ends after
    that many bytes."""

    def __init__(self, upstream, cut_after=None):
        self.upstream = upstream
        self.cut_after = cut_after
        self.reset()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def moved(self):
        return self.up + self.down

    def reset(self):
        self.up = self.down = self.connections = self.requests = self.cuts = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            Connection(self, client).start()


class Connection:
    """One connection of a client, and the one to the server that belongs to it."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.client = client
        self.left = proxy.cut_after
        proxy.connections += 1

    def start(self):
        host, port = self.proxy.upstream.split(":")
        try:
            self.server = socket.create_connection((host, int(port)))
        except OSError:
            self.client.close()
            return
        for end in (self.client, self.server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, sink, way in ((self.client, self.server, "up"), (self.server, self.client, "down")):
            threading.Thread(target=self.forward, args=(source, sink, way), daemon=True).start()

    def forward(self, source, sink, way):
        block, before = memoryview(bytearray(BLOCK)), b""
        try:
            while size := source.recv_into(block[: self.allowed()]):
                # Counted before it is passed on: a client that has its answer may be gone at once.
                ends = self.count(way, size)
                if way == "up":
                    before = self.count_requests(before, block[:size])
                sink.sendall(block[:size])
                if ends:
                    return self.close()
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()

    def allowed(self):
        return BLOCK if self.left is None else max(1, min(BLOCK, self.left))

    def count(self, way, size):
        """Counts bytes that are forwarded; true when they are the last that the connection may move."""
        with self.proxy.lock:
            setattr(self.proxy, way, getattr(self.proxy, way) + size)
            if self.left is None:
                return False
            self.left -= size
            self.proxy.cuts += self.left <= 0
            return self.left <= 0

    def count_requests(self, before, block):
        """Counts the requests whose first line ends in a block; gives back what may be the beginning of such an end."""
        seen = before + block
        with self.proxy.lock:
            self.proxy.requests += seen.count(REQUEST_END)
        return seen[1 - len(REQUEST_END) :]

    def close(self):
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
