// A real SMTP server that keeps every mail it receives as one file.
//   node smtp.mjs PORT TLS_PORT KEY CERTIFICATE FOLDER
// PORT offers STARTTLS and AUTH; TLS_PORT speaks TLS from the first byte and wants AUTH. A
// recipient beginning with "reject" is refused for good, one with "defer" for now.
import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { SMTPServer } from "smtp-server";

const [port, tlsPort, key, cert, folder] = process.argv.slice(2);
const { YIQILAI_TEST_SMTP_USER: user, YIQILAI_TEST_SMTP_PASSWORD: password } = process.env;
let sequence = 0;

const refuse = (code, message) => Object.assign(new Error(message), { responseCode: code });

function server(secure) {
  const smtp = new SMTPServer({
    secure,
    key: readFileSync(key),
    cert: readFileSync(cert),
    authOptional: !secure,
    disableReverseLookup: true, // no name server is asked about 127.0.0.1
    onAuth(auth, session, done) {
      const known = auth.username === user && auth.password === password;
      done(known ? null : refuse(535, "wrong password"), known && { user });
    },
    onRcptTo({ address }, session, done) {
      if (address.startsWith("reject")) return done(refuse(550, "no such mailbox"));
      if (address.startsWith("defer")) return done(refuse(451, "try again later"));
      done();
    },
    onData(stream, session, done) {
      const parts = [];
      stream.on("data", (part) => parts.push(part));
      stream.on("end", () => {
        const to = session.envelope.rcptTo.map((r) => r.address).join(",");
        const head = `X-Envelope-To: ${to}\r\nX-Envelope-Tls: ${session.secure}\r\nX-Envelope-User: ${session.user || ""}\r\n`;
        const name = `${folder}/${String(++sequence).padStart(6, "0")}-${randomUUID()}`;
        writeFileSync(`${name}.part`, Buffer.concat([Buffer.from(head), ...parts]));
        renameSync(`${name}.part`, `${name}.eml`); // a reader never sees half a mail
        done();
      });
    },
  });
  // a client that does not trust the certificate is an error too, and no reason to end
  smtp.on("error", (error) => {
    console.error(error.message);
    if (error.syscall === "listen") process.exit(1);
  });
  return smtp;
}

await Promise.all(
  [[port, false], [tlsPort, true]].map(
    ([at, secure]) => new Promise((ready) => server(secure).listen(Number(at), "127.0.0.1", ready)),
  ),
);
console.log("ready");
process.on("SIGTERM", () => process.exit(0));
