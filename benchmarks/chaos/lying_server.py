"""An HTTP server on the loopback address that speaks the OpenAI protocol and misbehaves on request."""

import gzip
import json
import threading
import time
from collections import Counter
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LoopbackServer:
    """Answers `answer(prompt)`, unless `fault(prompt, tried)` names one of the faults below, or an HTTP status.

    It keeps all requests in `bodies` and `headers`, the tries of each prompt in `tries`, those answered well in
    `answered`, and refuses requests that hold a parameter of `refuses`. A look-up is answered from `pages`, by its
    path, and kept in `looked_up`; the first ones have the HTTP statuses of `page_statuses` in its place.

    answer (Callable[[str], str]): The reply to a prompt.
    fault (Callable[[str, int], Union[str, int, None]]): The fault of this try, counted from 1 for each prompt.
    """

    def __init__(self, answer, fault):
        self.answer = answer
        self.fault = fault
        self.tries = Counter()
        self.faults = Counter()
        self.answered = Counter()
        self.bodies = []
        self.headers = []
        self.refuses = ()
        self.elsewhere = None
        self.pages = {}
        self.page_statuses = []
        self.looked_up = []
        self.times = []
        self.under_way = self.most_under_way = 0
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_POST(self):
                server.handle(self)

            def do_GET(self):
                path = self.path.removeprefix("/v1/")
                server.looked_up.append(path)
                found = 200 if path in server.pages else 404
                status = server.page_statuses.pop(0) if server.page_statuses else found
                server._send(self, status, json.dumps(server.pages.get(path, {}) if status == found else {}))

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"

    def start(self):
        """Return this server, which answers from now on."""
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self):
        """Answer no more."""
        self.stopping.set()
        self.http.shutdown()
        self.http.server_close()

    def handle(self, handler):
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        prompt = body["prompt"] if "prompt" in body else body["messages"][-1]["content"]
        with self.lock:
            self.bodies.append(body)
            self.headers.append(dict(handler.headers))
            self.times.append(time.monotonic())
            self.tries[prompt] += 1
            self.under_way += 1
            self.most_under_way = max(self.under_way, self.most_under_way)
            tried = self.tries[prompt]
        fault = self.fault(prompt, tried)
        self.faults[fault] += 1
        refused = next((name for name in self.refuses if name in body), None)
        try:
            if refused is not None:
                self._send(handler, 400, json.dumps({"error": {
                    "message": f"Unsupported parameter: '{refused}' is not supported with this model.",
                    "type": "invalid_request_error", "param": refused, "code": "unsupported_parameter"}}))
            elif isinstance(fault, int):
                self._send(handler, fault, "{}")
            else:
                getattr(self, f"_{fault or 'good'}")(handler, prompt, chat="messages" in body)
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            with self.lock:
                self.under_way -= 1

    def _send(self, handler, status, content, *, kind="application/json", headers=(), length=None):
        content = content.encode("utf8")
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)
        handler.wfile.flush()

    def _spell(self, prompt, *, chat, reason="stop", text=None):
        text = self.answer(prompt) if text is None else text
        choice = {"index": 0, "finish_reason": reason}
        choice.update({"message": {"role": "assistant", "content": text}} if chat else {"text": text})
        usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(text.split()), "total_tokens": 0}
        return json.dumps({"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice],
                           "usage": usage})

    def _good(self, handler, prompt, *, chat):
        self.answered[prompt] += 1
        self._send(handler, 200, self._spell(prompt, chat=chat))

    def _verbatim(self, handler, prompt, *, chat):
        """Sends what `answer` gives as the whole reply."""
        self._send(handler, 200, self.answer(prompt))

    def _slow(self, handler, prompt, *, chat):
        time.sleep(0.05)
        self._good(handler, prompt, chat=chat)

    def _busy(self, handler, prompt, *, chat):
        self._send(handler, 429, '{"error": {"message": "slow down", "type": "rate_limit"}}')

    def _busy_seconds(self, handler, prompt, *, chat):
        self._send(handler, 429, "{}", headers=[("Retry-After", "0.2")])

    def _busy_date(self, handler, prompt, *, chat):
        self._send(handler, 429, "{}", headers=[("Retry-After", formatdate(time.time() + 1, usegmt=True))])

    def _busy_for_ever(self, handler, prompt, *, chat):
        self._send(handler, 503, "{}", headers=[("Retry-After", "86400")])

    def _broken(self, handler, prompt, *, chat):
        self._send(handler, 500, "oops", kind="text/plain")

    def _unavailable(self, handler, prompt, *, chat):
        self._send(handler, 503, "{}")

    def _refused(self, handler, prompt, *, chat):
        self._send(handler, 400, json.dumps({"error": {"message": f"bad: {prompt}", "type": "invalid_request_error",
                                                       "code": "context_length_exceeded"}}))

    def _silent(self, handler, prompt, *, chat):
        self.stopping.wait(30)

    def _dropped(self, handler, prompt, *, chat):
        handler.close_connection = True
        handler.connection.close()

    def _half(self, handler, prompt, *, chat):
        content = self._spell(prompt, chat=chat)
        handler.close_connection = True
        self._send(handler, 200, content[:len(content) // 2], length=len(content))

    def _cut_json(self, handler, prompt, *, chat):
        content = self._spell(prompt, chat=chat)
        self._send(handler, 200, content[:len(content) // 2])

    def _html(self, handler, prompt, *, chat):
        self._send(handler, 200, "<html><body>Please log in</body></html>", kind="text/html")

    def _no_choices(self, handler, prompt, *, chat):
        self._send(handler, 200, '{"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": []}')

    def _odd_reason(self, handler, prompt, *, chat):
        self._send(handler, 200, self._spell(prompt, chat=chat, reason="abort"))

    def _no_reason(self, handler, prompt, *, chat):
        self._send(handler, 200, self._spell(prompt, chat=chat, reason=None))

    def _filtered(self, handler, prompt, *, chat):
        self._send(handler, 200, self._spell(prompt, chat=chat, reason="content_filter"))

    def _cut(self, handler, prompt, *, chat):
        self._send(handler, 200, self._spell(prompt, chat=chat, reason="length"))

    def _cut_text(self, handler, prompt, *, chat):
        """Half of the reply, as the token limit cuts it."""
        text = self.answer(prompt)
        self._send(handler, 200, self._spell(prompt, chat=chat, reason="length", text=text[:len(text) // 2]))

    def _gzipped(self, handler, prompt, *, chat):
        self._send_gzip(handler, gzip.compress(self._spell(prompt, chat=chat).encode("utf8")))

    def _bomb(self, handler, prompt, *, chat):
        """A gzip answer of 30 KB that grows to 30 MB."""
        self._send_gzip(handler, gzip.compress(self._spell(prompt, chat=chat).encode("utf8") + b" " * 30_000_000, 6))

    def _damaged_gzip(self, handler, prompt, *, chat):
        content = gzip.compress(self._spell(prompt, chat=chat).encode("utf8"))
        self._send_gzip(handler, content[:12] + b"\xff" * 8 + content[20:])

    def _send_gzip(self, handler, content):
        handler.send_response(200)
        for name, value in (("Content-Type", "application/json"), ("Content-Encoding", "gzip"),
                            ("Content-Length", str(len(content)))):
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    def _too_large(self, handler, prompt, *, chat):
        self._send(handler, 200, self._spell(prompt, chat=chat) + " " * 5_000_000)

    def _endless(self, handler, prompt, *, chat):
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        while not self.stopping.is_set():
            handler.wfile.write(b" " * 65536)

    def _elsewhere(self, handler, prompt, *, chat):
        self._send(handler, 307, "", headers=[("Location", f"{self.elsewhere or 'http://127.0.0.1:9'}/v1/x")])

    def _moved(self, handler, prompt, *, chat):
        """Redirected once, to another path of this server."""
        if handler.path.endswith("/moved"):
            self._good(handler, prompt, chat=chat)
        else:
            self._send(handler, 308, "", headers=[("Location", f"{handler.path}/moved")])

    def _trickle(self, handler, prompt, *, chat):
        content = self._spell(prompt, chat=chat).encode("utf8")
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        for start in range(len(content)):
            if self.stopping.wait(0.1):
                return
            handler.wfile.write(content[start:start + 1])
            handler.wfile.flush()
