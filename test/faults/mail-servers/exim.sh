# Starts a mail server on 127.0.0.1 and port $1 that requires STARTTLS and a login (app, secret). It
# refuses never@example.com, and later@example.com while /mail/refuse-later exists.
set -eu
cat >/etc/exim4/exim4.conf <<CF
primary_hostname = mta.test
daemon_smtp_ports = $1
local_interfaces = <; 127.0.0.1
tls_advertise_hosts = *
tls_certificate = /etc/mta.crt
tls_privatekey = /etc/mta.key.exim
auth_advertise_hosts = \${if eq{\$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = rcpt
log_file_path = /mail/exim.%s.log
log_selector = +smtp_protocol_error
host_lookup =
rfc1413_query_timeout = 0s
begin acl
rcpt:
  deny
    !authenticated = *
    message = log in first
  defer
    local_parts = later
    condition = \${if exists{/mail/refuse-later}}
    message = 450 later
  deny
    local_parts = never
    message = never
  accept
    domains = example.com
  deny
begin routers
all:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = /mail/Maildir
  maildir_format
  user = app
  group = app
  create_directory
begin retry
* * F,1h,1m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = \${if and{{eq{\$auth2}{app}}{eq{\$auth3}{secret}}}}
  server_set_id = \$auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = \${if and{{eq{\$auth1}{app}}{eq{\$auth2}{secret}}}}
  server_set_id = \$auth1
CF
install -o Debian-exim -m 600 /etc/mta.key /etc/mta.key.exim
chmod 777 /mail # for the log
exec exim4 -bdf -q1m >>/mail/log 2>&1
