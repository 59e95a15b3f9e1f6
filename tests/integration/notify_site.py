# SPDX-License-Identifier: Apache-2.0
"""A site that tells people of its runs, and receivers on loopback that write down what they get and answer as told."""
import glob
import http.server
import json
import os
import socketserver
import ssl
import threading
import time

from run_site import RunTest


class HttpReceiver:
    """`answers` are used one after the other, the last one stays: a status, or a callable that takes the handler."""

    def __init__(self, answers=(200,)):
        self.answers, self.got = list(answers), []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.got.append({"path": self.path, "headers": dict(self.headers), "body": body})
                answer = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
                if callable(answer):
                    return answer(self)
                self.send_response(answer)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def bodies(self):
        return [json.loads(one["body"]) for one in self.got]


class SmtpReceiver:
    """Speaks as much of RFC 5321 as a client needs. `refuse` maps a verb, or a whole line, to the line it is answered with.
    `tls` is a certificate with its key: from the first byte with `at_once`, else after STARTTLS."""

    def __init__(self, refuse=None, auth=False, tls=None, at_once=False, address=("127.0.0.1", 0)):
        self.refuse, self.auth, self.mails, self.lines, self.secured = refuse or {}, auth, [], [], []
        receiver, context = self, None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)

        class Handler(socketserver.StreamRequestHandler):
            def say(self, line):
                self.wfile.write(line.encode() + b"\r\n")

            def secure(self):
                self.connection = self.request = context.wrap_socket(self.request, server_side=True)
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)

            def handle(self):
                try:
                    if context and at_once:
                        self.secure()
                    self.converse()
                except OSError:  # a client that does not believe the certificate
                    pass
                finally:
                    if isinstance(self.request, ssl.SSLSocket):
                        self.request.close()

            def converse(self):
                self.say("220 receiver")
                while True:
                    line = self.rfile.readline().decode("latin-1").rstrip("\r\n")
                    if not line:
                        return
                    receiver.lines.append(line)
                    receiver.secured.append(isinstance(self.request, ssl.SSLSocket))
                    verb = line.split(" ")[0].split(":")[0].upper()
                    if line in receiver.refuse or verb in receiver.refuse:
                        self.say(receiver.refuse.get(line, receiver.refuse.get(verb)))
                    elif verb == "STARTTLS":
                        self.say("220 go on")
                        self.secure()
                    elif verb == "EHLO":
                        if context and not receiver.secured[-1]:
                            self.say("250-receiver")
                            self.say("250 STARTTLS")
                            continue
                        self.say("250-receiver" if receiver.auth else "250 receiver")
                        if receiver.auth:
                            self.say("250 AUTH PLAIN")
                    elif verb == "AUTH":
                        self.say("334 ")
                        self.rfile.readline()
                        self.say("235 ok")
                    elif verb == "DATA":
                        self.say("354 go on")
                        self.take()
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

            def take(self):
                data = b""
                while not data.endswith(b"\r\n.\r\n"):
                    more = self.rfile.readline()
                    if not more:
                        return
                    data += more
                receiver.mails.append(data[:-3].replace(b"\r\n..", b"\r\n."))
                self.say(receiver.refuse.get("MAIL-DATA", "250 taken"))

        self.server = Server(address, Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True


class NotifyTest(RunTest):
    """setUp applies no policy; tell() does, with the rules and receivers of the test."""
    mode = "constrained"
    gate = [{"id": "review", "threshold": 2, "roles": {"safety": 1}, "expiresAfter": "PT1H", "message": "Flash <cell> & go"}]
    gated = [{"id": "security", "gate.approval": {"approval": "review"}}, {"id": "after", "run": {"script": "true"}}]

    def setUp(self):
        super(RunTest, self).setUp()

    def receiver(self, kind, *args, **kwargs):
        one = kind(*args, **kwargs)
        self.addCleanup(one.close)
        return one

    def credential(self, name, text, mode=0o600):
        folder = os.path.join(self.home, "notify")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as handle:
            handle.write(text + "\n")
        os.chmod(path, mode)
        return path

    def entry(self, port, host="receiver.example", **more):
        return {"host": host, "address": "127.0.0.1", "port": port, "loopback": True, "for": ["stella"], **more}

    def webhook(self, port, topic="pack.*", **more):
        return {"topic": topic, "to": "webhook", "host": "receiver.example", "port": port, "tls": False, "path": "/hook", **more}

    def tell(self, rules, ports=(), version=1, mode=None, **changes):
        people = [{"name": "plant-7", "packs": ["*"], "operators": [{"name": "Ana Ortiz", "user": "root"}],
                   "approvers": [self.approver("Ada Obi", "ada", ["safety"]), self.approver("Ben Keller", "ben")]}]
        allow = changes.pop("allow", [self.entry(port) for port in ports])
        self.apply(self.policy(version=version, mode=mode or self.mode, tenants=people, notifications=rules,
                               network={"dns": "block", "allow": allow}, **changes))

    def ask(self, expect=7, name="gated", **spec):
        """A run that waits at a gate; its id."""
        self.run_pack(self.gated, expect=expect, name=name, approvals=self.gate, **spec)
        return self.last_run()

    def messages(self, *args):
        return self.stella("--output", "json", "notify", "list", *args).json["messages"]

    def states(self):
        return sorted((one["topic"], one["state"]) for one in self.messages())

    def spooled(self, kind="*", suffix="json"):
        return sorted(glob.glob(os.path.join(self.home, "spool", kind, "*." + suffix)))

    def settled(self, count):
        """All messages, once `count` of them have left the queue: a companion may still be at it."""
        def done():
            all_of_them = self.messages()
            return all_of_them if len([one for one in all_of_them if one["state"] != "queued"]) >= count else None
        return self.wait_for(done)

    def quiet(self, seconds=0.5):
        time.sleep(seconds)
