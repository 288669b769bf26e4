# Starts a mail server on 127.0.0.1 and port $1 that requires STARTTLS and a login (app, secret). It
# refuses never@example.com, and later@example.com while /mail/refuse-later exists.
set -eu
cat >/etc/postfix/main.cf <<CF
compatibility_level = 3.6
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mta.test
mydestination =
mynetworks =
maillog_file_prefixes = /mail
maillog_file = /mail/log
virtual_mailbox_domains = example.com
virtual_mailbox_base = /
virtual_mailbox_maps = static:mail/Maildir/
virtual_uid_maps = static:7000
virtual_gid_maps = static:7000
virtual_minimum_uid = 1000
smtpd_tls_cert_file = /etc/mta.crt
smtpd_tls_key_file = /etc/mta.key
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_path = smtpd
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_policy_service unix:private/policy
CF

# Debian's smtpd runs in a chroot (5th column), where SASL finds no database.
sed -i -E "s/^smtp +inet .*/127.0.0.1:$1 inet n - n - - smtpd/" /etc/postfix/master.cf
cat >>/etc/postfix/master.cf <<'CF'
policy unix - n n - 0 spawn user=app argv=/bin/sh /etc/policy.sh
CF
grep -q '^postlog' /etc/postfix/master.cf ||
  echo 'postlog unix-dgram n - n - 1 postlogd' >>/etc/postfix/master.cf

cat >/etc/policy.sh <<'SH'
while read -r line; do
  case $line in
  recipient=*) recipient=${line#recipient=} ;;
  '')
    action=dunno
    case $recipient in
    later@*) [ -e /mail/refuse-later ] && action='450 4.2.1 later' ;;
    never@*) action='550 5.1.1 never' ;;
    esac
    printf 'action=%s\n\n' "$action"
    ;;
  esac
done
SH

mkdir -p /etc/postfix/sasl
cat >/etc/postfix/sasl/smtpd.conf <<'CF'
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN LOGIN
sasldb_path: /etc/sasldb2
CF
echo secret | saslpasswd2 -p -c -u mta.test app
chown postfix /etc/sasldb2
postfix check >>/mail/log 2>&1
exec /usr/lib/postfix/sbin/master -c /etc/postfix -s >>/mail/log 2>&1
