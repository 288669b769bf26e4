# Starts a mail server on 127.0.0.1 and port $1 that requires STARTTLS and a login (app, secret). It
# refuses never@example.com, and later@example.com while /mail/refuse-later exists.
set -eu
cat >/etc/server.py <<'PY'
import mailbox, os, ssl, sys, threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain('/etc/mta.crt', '/etc/mta.key')
box = mailbox.Maildir('/mail/Maildir')


class Keep:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('later@') and os.path.exists('/mail/refuse-later'):
            return '450 4.2.1 later'
        if address.startswith('never@'):
            return '550 5.1.1 never'
        envelope.rcpt_tos.append(address)
        return '250 ok'

    async def handle_DATA(self, server, session, envelope):
        # Says like other servers how the mail came (RFC 3848): S with TLS, A with a login.
        how = 'ESMTP' + ('S' if session.ssl else '') + ('A' if session.authenticated else '')
        box.add(f'Received: from test by mta.test with {how}\n'.encode() + envelope.content)
        return '250 kept'


def check(server, session, envelope, mechanism, data):
    ok = isinstance(data, LoginPassword) and (data.login, data.password) == (b'app', b'secret')
    return AuthResult(success=ok, handled=False)


Controller(Keep(), hostname='127.0.0.1', port=int(sys.argv[1]), tls_context=tls,
           require_starttls=True, authenticator=check, auth_required=True).start()
threading.Event().wait()
PY
exec /usr/bin/python3 /etc/server.py "$1" >>/mail/log 2>&1
