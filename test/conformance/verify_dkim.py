# Verifies the DKIM signatures of the mails in the files that are named by the arguments, with
# Debian's python3-dkim. The first argument is the public key (base64, DER); the second is the name
# of its record in the DNS. Prints one line for each mail: True and the signing domain, or False.
import sys

import dkim

key, name, *files = sys.argv[1:]


def find_record(asked, timeout=5):
    return f'v=DKIM1; k=rsa; p={key}'.encode() if asked.decode() == f'{name}.' else None


for file in files:
    with open(file, 'rb') as mail:
        verifier = dkim.DKIM(mail.read())
    try:
        is_right = verifier.verify(dnsfunc=find_record)
    except dkim.DKIMException:
        is_right = False
    print(f'True {verifier.domain.decode()}' if is_right else 'False')
