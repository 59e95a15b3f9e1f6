# SPDX-License-Identifier: Apache-2.0
"""A terminal to run the binary in: a pseudo-terminal and a screen that understands the few escapes that stella writes.

Lines that scroll off the top are kept in `history`. Unknown escapes are an error: nothing else may be written.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time


class Screen:
    ESCAPE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")

    def __init__(self, rows=24, columns=80):
        self.rows, self.columns = rows, columns
        self.lines, self.row, self.column, self.history = [""] * rows, 0, 0, []
        self.pending, self.colours = "", 0

    def feed(self, text):
        text = self.pending + text
        self.pending = ""
        at = 0
        while at < len(text):
            char = text[at]
            if char == "\x1b":
                found = self.ESCAPE.match(text, at)
                if not found:
                    if len(text) - at > 16:
                        raise AssertionError(f"unknown escape {text[at:at + 16]!r}")
                    self.pending = text[at:]
                    return
                self.escape(found.group(1), found.group(2))
                at = found.end()
                continue
            self.put(char)
            at += 1

    def put(self, char):
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self.row += 1
            if self.row == self.rows:
                self.history.append(self.lines.pop(0))
                self.lines.append("")
                self.row -= 1
        elif char >= " ":
            if self.column >= self.columns:
                self.put("\r")
                self.put("\n")
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[:self.column] + char + line[self.column + 1:]
            self.column += 1

    def escape(self, numbers, letter):
        if letter == "A":
            self.row = max(0, self.row - int(numbers or 1))
        elif letter == "K":
            self.lines[self.row] = self.lines[self.row][:self.column]
        elif letter == "J":
            self.lines[self.row] = self.lines[self.row][:self.column]
            for row in range(self.row + 1, self.rows):
                self.lines[row] = ""
        elif letter == "m":
            self.colours += 1
        else:
            raise AssertionError(f"unknown escape {numbers}{letter}")

    @property
    def text(self):
        return "\n".join(self.history + self.lines).rstrip()


class Terminal:
    def __init__(self, command, env, cwd, rows=24, columns=80):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.screen, self.bytes, self.seen = Screen(rows, columns), b"", []
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env, cwd=cwd, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.before = termios.tcgetattr(slave)
        os.close(slave)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if hasattr(self, "screen"):
            self.screen.rows, self.screen.columns = rows, columns

    def read(self, seconds=0.1):
        """What was written meanwhile; False once the other side is closed."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return True
        try:
            block = os.read(self.master, 65536)
        except OSError:
            return False
        self.bytes += block
        self.screen.feed(block.decode(errors="replace"))
        self.seen.append(self.screen.text)
        return bool(block)

    def until(self, condition, seconds=60):
        """Reads until condition(screen text) holds."""
        end = time.time() + seconds
        while time.time() < end:
            if condition(self.screen.text):
                return self.screen.text
            if not self.read():
                break
        raise AssertionError("it was never shown:\n" + self.screen.text)

    def finish(self, seconds=60):
        end = time.time() + seconds
        while time.time() < end and self.read():
            pass
        return self.process.wait(timeout=10)

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.master)
