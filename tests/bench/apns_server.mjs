// Takes wake-ups over HTTP/2 with a client certificate, as Apple's push service does, and answers 200 to all of them.
// Usage: node apns_server.mjs SERVER.pem AUTHORITIES.pem; prints its port, and ends when its input does.
import { readFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'

const [pem, authorities] = process.argv.slice(2).map((path) => readFileSync(path))
const server = createSecureServer({ key: pem, cert: pem, ca: authorities, requestCert: true, rejectUnauthorized: true })
server.on('stream', (stream, headers) => {
  const good = headers[':method'] === 'POST' && headers['apns-topic'] && headers[':path'].startsWith('/3/device/')
  stream.on('data', () => {})
  stream.on('end', () => {
    stream.respond({ ':status': good ? 200 : 400 }, { endStream: true })
  })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('end', () => process.exit(0))
process.stdin.resume()
