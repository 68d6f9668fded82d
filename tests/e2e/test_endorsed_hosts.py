# SPDX-License-Identifier: MIT
"""
Hosts whose key is trusted without a question: by the host's ssh key, which ssh knows, or by an
organisation's; and refused, where either is revoked or the pin says otherwise.
"""
import base64
import calendar
import json
import os
import re
import subprocess
import time

from harness import Running, eventually, program
from test_endorse import ssh_key
from world import Real


class Hosts(Real):
    SENDERS = {"alice": []}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.senders["alice"].home

    @classmethod
    def start(cls):
        cls.endorsements = cls.system.path("host_endorsements")
        cls.system.config["host-endorsements"] = cls.endorsements
        cls.system.start()
        cls.host_key = cls.system.host_key()
        time.sleep(1.1)  # authorized_keys is looked at once a second

    def setUp(self):
        self.folder = self.system.folder_of(self.id().rsplit(".", 1)[1])
        self.ssh_file = os.path.join(self.folder, "ssh_host_ed25519_key")
        self.public = " ".join(ssh_key(self.ssh_file).split()[:2])
        self.ssh_known = os.path.join(self.folder, "ssh_known_hosts")
        self.known_hosts()
        if os.path.exists(self.endorsements):
            os.unlink(self.endorsements)

    def write(self, path, text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o644)

    def known_hosts(self, *lines):
        self.write(os.path.join(self.home, "known_hosts"), "".join(line + "\n" for line in lines))

    def ssh_knows(self, *lines):
        self.write(self.ssh_known, "".join(line + "\n" for line in lines))

    def begin(self, *words, path=None):
        env = {**self.system.environment(), "MSG_CONFIG_HOME": self.home,
               "MSG_SSH_KNOWN_HOSTS": f"/nonexistent:{self.ssh_known}", **({"PATH": path} if path else {})}
        return Running(self.system.me, [program("msgctl"), *words], env=env)

    def ctl(self, *words, status=0, path=None):
        """path: of the programs that it runs."""
        done = self.begin(*words, path=path).finish(30)
        self.assertEqual(done.status, status, done)
        return done

    def endorse(self, *words):
        """As root does on the host, with all the paths moved."""
        out = self.ctl("key", "endorse", "--host", "--file",
                       os.path.join(self.system.state, "host_key"), "--ssh-key", self.ssh_file,
                       "--into", self.endorsements, *words).out
        self.assertIn(f"{self.host_key} is endorsed by {self.public} until", out)
        time.sleep(1.1)  # that file too

    def trusted(self, why=None):
        self.becomes(0)
        self.assertIn("it knows you as alice\n", self.ctl("ping", self.system.server).out)
        if why:
            self.assertIn(f"ok       host key: trusted by {why}\n",
                          self.ctl("doctor", self.system.server).out)

    def becomes(self, status):
        """msgd shows what is in the file when it has looked at it: once a second, or when it can."""
        def came():
            return self.begin("ping", self.system.server).finish(30).status == status
        eventually(came, lambda: f"a ping to end with {status}: {self.system.logged()}")

    def unknown(self):
        self.becomes(4)
        err = self.ctl("ping", self.system.server, status=4).err
        self.assertIn(f"the key of {self.system.server} is not known: {self.host_key}; if it is the "
                      "right one, which its administrator sees by msgctl key show --host: msgctl "
                      f"trust {self.system.server} {self.host_key}; if you can ssh there, without him: "
                      f"msgctl pair {self.system.server}\n", err)

    def revoked(self, where):
        err = self.ctl("ping", self.system.server, status=4).err
        self.assertIn(f"the key of {self.system.server} is revoked: {self.host_key} ({where}); "
                      "nothing was sent. Its administrator can tell you the new one: msgctl key show "
                      f"--host; then: msgctl trust {self.system.server} KEY\n", err)

    # ---- by ssh ----------------------------------------------------------------------------------

    def test_by_ssh(self):
        self.ssh_knows(f"127.0.0.1 {self.public}")
        self.unknown()
        self.endorse()
        self.trusted(f"the host's ssh key, which your ssh knows ({self.ssh_known}:1)")
        self.ssh_knows(f"127.0.0.2 {self.public}")
        self.unknown()

    def test_a_signature_that_was_made_up(self):
        """By the host that shows it: its statement and the signer's key are those of a good one."""
        self.ssh_knows(f"127.0.0.1 {self.public}")
        self.endorse()
        self.trusted()
        with open(self.endorsements, encoding="ascii") as file:
            head, armour = file.read().split("-----BEGIN SSH SIGNATURE-----\n")
        body = bytearray(base64.b64decode(armour.split("-----END")[0]))
        body[-20] ^= 1
        text = base64.b64encode(body).decode()
        with open(self.endorsements, "w", encoding="ascii") as file:
            file.write(f"{head}-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----\n")
        time.sleep(1.1)
        self.unknown()

    def test_hashed_names(self):
        self.ssh_knows(f"127.0.0.1 {self.public}")
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", self.ssh_known], check=True,
                       capture_output=True)
        with open(self.ssh_known, encoding="ascii") as f:
            self.assertRegex(f.read(), r"^\|1\|")
        self.endorse()
        self.trusted()

    def test_marked_lines_of_ssh(self):
        self.endorse()
        self.ssh_knows(f"@cert-authority * {self.public}")
        self.unknown()
        self.ssh_knows(f"127.0.0.1 {self.public}", f"@revoked * {self.public}")
        self.revoked("@revoked in the known_hosts of ssh")

    def test_another_key_of_ssh(self):
        self.endorse()
        other = ssh_key(os.path.join(self.folder, "other"))
        self.ssh_knows(f"127.0.0.1 {other}")
        self.unknown()

    def test_what_is_out_of_its_time(self):
        self.ssh_knows(f"127.0.0.1 {self.public}")
        self.endorse()
        for after, before, status in ((-900, -310, 4), (-900, -200, 0), (310, 900, 4)):
            self.sign_again(self.endorsements, after, before)
            self.becomes(status)

    def sign_again(self, file, after, before):
        """The first endorsement there, for another time, in seconds from now."""
        with open(file, encoding="ascii") as f:
            changed = f.read().split("-----BEGIN")[0]
        for word, when in (("after", after), ("before", before)):
            changed = re.sub(rf"{word}: \d+", f"{word}: {int(time.time()) + when}", changed)
        signature = subprocess.run(
            ["ssh-keygen", "-q", "-Y", "sign", "-n", "msg-endorse-v1", "-f", self.ssh_file],
            input=changed, text=True, capture_output=True, check=True).stdout
        self.write(file, changed + signature)

    # ---- its end ---------------------------------------------------------------------------------

    def news(self):
        """What msgd has said of an end since it was asked last, two looks of its later."""
        time.sleep(2.5)
        before, self.said = self.said, len(self.system.logged())
        return re.findall(rf"^msgd: the endorsement of the host key(?: by {re.escape(self.public)})? "
                          r"(ends|ended) on (20\d\d-\d\d-\d\d \d\d:\d\d UTC); clients that trust this "
                          r"host by it need a new one: msgctl key endorse --host, or msgctl ca sign by "
                          r"the organisation$", self.system.logged()[before:], re.M)

    def test_its_end_is_told(self):
        self.said = len(self.system.logged())
        self.endorse()
        self.assertEqual(self.news(), [])
        day = 86400
        for after, before, told in ((-9 * 190, 200, []), (-9 * 200, 190, ["ends"]),
                                    (-360 * day, 7 * day + 60, []), (-360 * day, 7 * day - 60, ["ends"]),
                                    (-9000, -310, ["ended"])):
            with self.subTest(after=after, before=before):
                self.sign_again(self.endorsements, after, before)
                news = self.news()
                self.assertEqual([word for word, _ in news], told)
                for _, minute in news:
                    at = calendar.timegm(time.strptime(minute, "%Y-%m-%d %H:%M UTC"))
                    self.assertTrue(-90 < at - (time.time() + before) <= 0, minute)
                self.assertEqual(self.news(), [])
        self.sign_again(self.endorsements, -9000, 4)
        self.assertEqual([word for word, _ in self.news()], ["ends"])
        self.assertEqual([word for word, _ in self.news()], ["ended"])

    def row(self, name, *words, status=0):
        found = self.ctl("doctor", "--json", *words, status=status).out
        return next(row for row in map(json.loads, found.splitlines()) if row["name"] == name)

    def test_doctor_of_the_host(self):
        conf = os.path.join(self.folder, "msgd.conf")
        self.write(conf, f"[msgd]\nsocket = {self.system.socket}\nstate = {self.system.state}\n"
                         f"host_endorsements = {self.endorsements}\n")
        here = ("--file", conf)
        self.assertEqual(self.row("host endorsements", *here)["found"],
                         "none, so clients must know the key of this host itself")
        self.endorse()
        self.assertEqual(self.row("host endorsements", *here)["found"], f"1 ({self.endorsements})")
        self.sign_again(self.endorsements, -9000, 300)
        self.assertRegex(self.row("host endorsements", *here)["found"],
                         rf"^1 \({self.endorsements}\); that by {re.escape(self.public)} ends on "
                         r"20\d\d-\d\d-\d\d \d\d:\d\d UTC: have it signed anew$")
        self.sign_again(self.endorsements, -9000, -310)
        row = self.row("host endorsements", *here, status=1)
        self.assertRegex(row["found"], r"^the last one ended on 20\d\d-\d\d-\d\d \d\d:\d\d UTC "
                                       rf"\({self.endorsements}\)\. Have it signed anew")
        self.assertEqual(row["mend"], "msgctl key endorse --host")
        with open(self.endorsements, "w", encoding="ascii") as file:
            file.write("oops\n")
        row = self.row("host endorsements", *here, status=1)
        self.assertEqual((row["mend"], row["as"]),
                         (f"mv {self.endorsements} {self.endorsements}.broken", "root"))
        key = os.path.join(self.system.state, "host_key")
        with open(key, "r+b") as file:
            was = file.read()
            self.addCleanup(self.write_back, key, was)
            file.truncate(len(was) - 1)
        row = self.row("host endorsements", *here, status=1)
        self.assertRegex(row["found"], rf"^{key}: its secret key is broken\. Restore it from a backup: ")
        self.assertEqual(row["mend"], f"mv {key} {key}.broken")

    @staticmethod
    def write_back(path, content):
        with open(path, "wb") as file:
            file.write(content)

    def test_doctor_of_a_user(self):
        self.known_hosts(f"[127.0.0.1]:{self.system.port} {self.host_key}")
        self.ctl("key", "endorse", "--ssh-key", self.ssh_file)
        mine = os.path.join(self.home, "endorsements")
        self.addCleanup(os.unlink, mine)
        whole = rf"1 of your key \({mine}, /etc/msg/endorsements\)"
        self.assertRegex(self.row("endorsements", self.system.server)["found"], rf"^{whole}$")
        self.sign_again(mine, -9000, 300)
        self.assertRegex(self.row("endorsements", self.system.server)["found"],
                         rf"^{whole}; that by {re.escape(self.public)} ends on "
                         r"20\d\d-\d\d-\d\d \d\d:\d\d UTC: have it signed anew$")

    def test_ssh_keygen_that_fails(self):
        """Who endorses could be revoked there, in a line that nobody saw."""
        self.ssh_knows(f"@revoked 127.0.0.1 {self.public}")
        self.endorse("--names", "127.0.0.1")
        self.known_hosts(f"@cert-authority * {self.public} org")
        self.revoked("@revoked in the known_hosts of ssh")
        self.assertIn(f"cannot look for it in {self.ssh_known}; run: ssh-keygen -F 127.0.0.1 -f "
                      f"{self.ssh_known}\n", self.refused_by("exit 255"))
        self.refused_by("kill -9 $$")
        self.assertIn(f"{self.ssh_known} in time; run: ", self.refused_by("exec sleep 60"))
        self.refused_by("yes")  # prints more than can be read
        self.assertIn(f"there is no ssh-keygen to look for it in {self.ssh_known}; install "
                      "openssh-client\n", self.refused_by(None))

    def test_where_ssh_is_not_asked(self):
        """Without its files there is nothing to look up; and the pin goes before it."""
        self.endorse("--names", "127.0.0.1")
        self.known_hosts(f"@cert-authority * {self.public} org")
        self.assertIn("it knows you", self.ctl("ping", self.system.server, path="/nonexistent").out)
        self.ssh_knows(f"@revoked 127.0.0.1 {self.public}")
        self.known_hosts(f"[127.0.0.1]:{self.system.port} {self.host_key}")
        self.assertIn("it knows you", self.ctl("ping", self.system.server, path="/nonexistent").out)

    def refused_by(self, script):
        """What is told where ssh-keygen is that; None: where there is none."""
        folder = os.path.join(self.folder, "bin")
        os.makedirs(folder, exist_ok=True)
        fake = os.path.join(folder, "ssh-keygen")
        self.write(fake, f"#!/bin/sh\n{script}\n")
        os.chmod(fake, 0o755 if script else 0o644)
        path = folder if script is None else f"{folder}:{os.environ['PATH']}"
        err = self.ctl("ping", self.system.server, status=4, path=path).err
        self.assertIn(f"no key of {self.system.server} can be trusted: ", err)
        found = self.ctl("doctor", self.system.server, status=4, path=path).out
        self.assertIn(f"fails    host key: {err.split('can be trusted: ')[1].split('; run: ')[0]}", found)
        return err

    # ---- by an organisation ----------------------------------------------------------------------

    def test_by_an_organisation(self):
        self.endorse("--names", "h2,127.0.0.1")
        self.unknown()
        self.known_hosts(f"@cert-authority 127.*,*.example.org {self.public} org")
        self.trusted(f"an organisation's key ({self.home}/known_hosts:1)")
        self.known_hosts(f"@cert-authority *.example.org {self.public} org")
        self.unknown()

    def test_names_that_it_did_not_sign(self):
        self.endorse("--names", "h2")
        self.known_hosts(f"@cert-authority * {self.public} org")
        self.unknown()

    def test_revoked_by_us(self):
        self.endorse("--names", "127.0.0.1")
        path = os.path.join(self.home, "known_hosts")
        ca = f"@cert-authority * {self.public} org"
        for line in (f"@revoked * {self.public}", f"@revoked 127.0.0.1 {self.host_key}"):
            self.known_hosts(ca, line)
            self.revoked(f"{path}:2")
        self.ssh_knows(f"127.0.0.1 {self.public}")
        self.known_hosts(f"@revoked * {self.public}")
        self.revoked(f"{path}:1")

    # ---- the pin ---------------------------------------------------------------------------------

    def test_a_pin_outranks_it(self):
        self.endorse("--names", "127.0.0.1")
        self.ssh_knows(f"127.0.0.1 {self.public}")
        name = f"[127.0.0.1]:{self.system.port}"
        self.known_hosts(f"{name} x25519:{43 * 'A'}", f"@cert-authority * {self.public} org")
        err = self.ctl("ping", self.system.server, status=4).err
        self.assertIn("HAS CHANGED", err)
        self.known_hosts(f"{name} {self.host_key}")
        self.trusted()

    def test_trust_pins_what_is_endorsed(self):
        self.endorse()
        self.ssh_knows(f"127.0.0.1 {self.public}")
        self.ctl("trust", self.system.server)
        with open(os.path.join(self.home, "known_hosts"), encoding="utf-8") as f:
            self.assertEqual(f.read(), f"[127.0.0.1]:{self.system.port} {self.host_key}\n")

    def test_a_broken_file_shows_nothing_new(self):
        self.ssh_knows(f"127.0.0.1 {self.public}")
        self.endorse()
        self.write(self.endorsements, "nonsense\n")
        time.sleep(1.1)
        self.trusted()
        self.assertIn(f"{self.endorsements}: the statement does not begin", self.system.logged())
        os.unlink(self.endorsements)
        time.sleep(1.1)
        self.unknown()
