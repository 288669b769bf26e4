# Starts a mail server on 127.0.0.1 and port $1 that requires STARTTLS and a login (app, secret). It
# refuses never@example.com, and later@example.com while /mail/refuse-later exists.
set -eu
echo "app $(smtpctl encrypt secret)" >/etc/mta.users
cat >/etc/smtpd.conf <<CF
pki localhost cert "/etc/mta.crt"
pki localhost key "/etc/mta.key"
table users file:/etc/mta.users
table everybody { "@" = app }
filter refuse proc-exec "/etc/refuse.sh"
listen on 127.0.0.1 port $1 tls-require pki localhost auth <users> hostname mta.test filter refuse
action keep maildir "/mail/Maildir" virtual <everybody>
match auth from any for domain "example.com" action keep
CF

# A filter first names what it decides, when it has read its configuration.
cat >/etc/refuse.sh <<'SH'
#!/bin/sh
while IFS='|' read -r kind second _ _ _ session token address; do
  case $kind in
  config)
    [ "$second" != ready ] || printf 'register|filter|smtp-in|rcpt-to\nregister|ready\n'
    ;;
  filter)
    result=proceed
    case $address in
    later@*) [ -e /mail/refuse-later ] && result='reject|450 4.2.1 later' ;;
    never@*) result='reject|550 5.1.1 never' ;;
    esac
    printf 'filter-result|%s|%s|%s\n' "$session" "$token" "$result"
    ;;
  esac
done
SH
chmod 755 /etc/refuse.sh
exec smtpd -d -T smtp >>/mail/log 2>&1
