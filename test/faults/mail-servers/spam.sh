# Rates the mails in /mail/in with SpamAssassin and rspamd, without asking other machines. Writes a
# line for each mail into /mail/spamassassin and /mail/rspamd: its name and the answer.
set -eu
mkdir /run/rspamd
cat >/etc/rspamd.test.conf <<'CF'
.include "/etc/rspamd/common.conf"
options {
  dns { nameserver = ["127.0.0.1:1"]; timeout = 0.01s; retransmits = 1; }
  pidfile = "/run/rspamd/pid";
}
logging { type = "file"; filename = "/run/rspamd/log"; level = "notice"; }
worker "normal" { bind_socket = "/run/rspamd/socket mode=0666"; count = 1; }
CF
chown -R _rspamd /run/rspamd
rspamd -c /etc/rspamd.test.conf -u _rspamd -g _rspamd >/mail/rspamd.log 2>&1
while [ ! -S /run/rspamd/socket ]; do sleep 0.2; done

for file in /mail/in/*; do
  name=$(basename "$file")
  answer=$(spamassassin -L -t <"$file" | grep -A8 '^X-Spam-Status' | tr -d '\n' | tr '\t' ' ')
  echo "$name $answer" >>/mail/spamassassin
  answer=$(rspamc -h /run/rspamd/socket symbols "$file" | tr '\n' ' ')
  echo "$name $answer" >>/mail/rspamd
done
touch /mail/done
