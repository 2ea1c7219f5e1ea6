// A real SMTP server that keeps every mail it receives as one file.
//   node smtp.mjs PORT TLS_PORT KEY CERTIFICATE FOLDER
// PORT offers STARTTLS and AUTH; TLS_PORT speaks TLS from the first byte and wants AUTH. A
// recipient beginning with "reject" is refused for good, one with "defer" for now.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { SMTPServer } from "smtp-server";

const [port, tlsPort, key, cert, folder] = process.argv.slice(2);
let sequence = 0;

const refuse = (code, message) => Object.assign(new Error(message), { responseCode: code });

function server(secure) {
  return new SMTPServer({
    secure,
    key: readFileSync(key),
    cert: readFileSync(cert),
    authOptional: !secure,
    onAuth(auth, session, done) {
      const known = auth.username === "postman" && auth.password === "secret";
      done(known ? null : refuse(535, "wrong password"), known && { user: auth.username });
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
        const head = `X-Envelope-To: ${to}\r\nX-Envelope-Tls: ${session.secure}\r\nX-Envelope-User: ${session.user ?? ""}\r\n`;
        const name = `${folder}/${String(++sequence).padStart(6, "0")}-${process.pid}`;
        writeFileSync(`${name}.part`, Buffer.concat([Buffer.from(head), ...parts]));
        renameSync(`${name}.part`, `${name}.eml`); // a reader never sees half a mail
        done();
      });
    },
  });
}

await Promise.all(
  [[port, false], [tlsPort, true]].map(
    ([at, secure]) => new Promise((ready) => server(secure).listen(Number(at), "127.0.0.1", ready)),
  ),
);
console.log("ready");
process.on("SIGTERM", () => process.exit(0));
