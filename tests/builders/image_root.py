#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a folder that looks like the unpacked image of a small system: this machine's own programs that the sandbox
tests start, with their libraries and Python's. The sandbox tests run a second time with it as the steps' root.

    image_root.py FOLDER
"""
import glob
import os
import re
import shutil
import subprocess
import sys

PROGRAMS = """bash sh python3 ls cat echo rm mkdir ln mv chmod stat head tail sleep env id tty readlink sed grep sort wc
seq true false kill test touch cp dd date dirname basename tr cut find xargs mount umount unshare nsenter su getent curl
wget ping dig nc ssh node perl openssl awk mawk strace ps setsid timeout yes tee mktemp od uname hostname whoami nohup
printf du df passwd newgrp chroot taskset prlimit python3.11""".split()

# What Debian's node reads from files of its own instead of carrying it along.
BUILT_IN_OF_NODE = ("acorn", "acorn-walk", "cjs-module-lexer", "undici")


def libraries(path):
    text = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    return re.findall(r"(/[^ ]+) \(0x", text)


def copy(path, root):
    """The file at its real place, and the links that led there."""
    while True:
        place = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        target = root + place
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.lexists(target):
            return
        shutil.copy2(place, target, follow_symlinks=False)
        if not os.path.islink(place):
            return
        path = os.path.join(os.path.dirname(place), os.readlink(place))


def main():
    root = sys.argv[1].rstrip("/")
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root + "/usr")
    for name in ("bin", "sbin", "lib", "lib64"):
        if os.path.islink("/" + name):
            os.makedirs(f"{root}/usr/{name}", exist_ok=True)
            os.symlink("usr/" + name, f"{root}/{name}")
    found = [shutil.which(name, path="/usr/bin:/usr/sbin") for name in PROGRAMS]
    found += glob.glob("/usr/lib/*/libnss_*.so*") + glob.glob("/usr/lib/*/libgcc_s.so*")
    for path in filter(None, found):
        copy(path, root)
        for library in libraries(path):
            copy(library, root)
    for library in glob.glob("/usr/lib/python3*") + glob.glob("/usr/lib/*/perl*") + glob.glob("/usr/share/perl*"):
        shutil.copytree(library, root + library, symlinks=True, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("test", "__pycache__", "site-packages", "dist-packages", "pod", "unicore"))
    for extension in glob.glob(root + "/usr/lib/python3*/lib-dynload/*.so"):
        for library in libraries(extension[len(root):]):
            copy(library, root)
    for module in BUILT_IN_OF_NODE:
        if os.path.isdir("/usr/share/nodejs/" + module):
            shutil.copytree("/usr/share/nodejs/" + module, f"{root}/usr/share/nodejs/{module}", symlinks=True)
    os.makedirs(root + "/etc/alternatives", exist_ok=True)
    shutil.copy2("/etc/ld.so.cache", root + "/etc/ld.so.cache")
    with open(root + "/etc/passwd", "w", encoding="utf-8") as handle:
        handle.write("image:x:0:0::/:/bin/sh\n")  # the made file is what a step sees
    subprocess.run(["chmod", "-R", "u=rwX,go=rX", root], check=True)


if __name__ == "__main__":
    main()
