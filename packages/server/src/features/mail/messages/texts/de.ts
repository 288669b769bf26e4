import { prose } from '../prose.ts'
import type { Texts } from '../text-types.ts'

/** What both pages that undo a change say at the end. */
const afterUndo = prose`Ihr altes Passwort gilt nicht mehr. Eine Mail ist zu Ihnen unterwegs: Legen
  Sie über den Link darin ein neues fest. Wenn keine Mail kommt, fordern Sie eine neue an.`

export const de: Texts = {
  notices: {
    password_changed: ({ service, time, address }) => [
      `Ihr Passwort bei ${service} wurde geändert`,
      prose`Das Passwort Ihres Kontos bei ${service} wurde am ${time}
        geändert${address === undefined ? '' : `, von der IP-Adresse ${address} aus`}.`,
      'Wenn Sie das waren, müssen Sie nichts tun.',
      prose`Wenn Sie das nicht waren, hat eine andere Person Zugriff auf Ihr Konto. Wenden Sie sich
        sofort an den Betreiber von ${service}.`,
    ],
    new_device: ({ service, time, address }) => [
      `Neue Anmeldung bei Ihrem Konto bei ${service}`,
      prose`Am ${time} gab es eine Anmeldung bei Ihrem Konto bei ${service} von einem Gerät, das wir
        nicht erkannt haben${address === undefined ? '' : `, von der IP-Adresse ${address} aus`}.
        Das kann ein neues Gerät sein, oder eines von Ihren nach einem neuen Passwort.`,
      'Wenn Sie das waren, müssen Sie nichts tun.',
      prose`Wenn Sie das nicht waren, ändern Sie jetzt Ihr Passwort. Das meldet alle anderen
        Geräte ab.`,
    ],
    account_disabled: ({ service, time }) => [
      `Ihr Konto bei ${service} wurde gesperrt`,
      `Ihr Konto bei ${service} wurde am ${time} gesperrt. Sie können sich nicht mehr anmelden.`,
      `Bei Fragen wenden Sie sich an den Betreiber von ${service}.`,
    ],
    account_deleted: ({ service, time }) => [
      `Ihr Konto bei ${service} wurde gelöscht`,
      `Ihr Konto bei ${service} wurde am ${time} gelöscht. Sie können sich nicht mehr anmelden.`,
      'Wenn Sie davon wissen, müssen Sie nichts tun.',
      `Wenn nicht, wenden Sie sich sofort an den Betreiber von ${service}.`,
    ],
    already_registered: ({ service, time }) => [
      `Sie haben schon ein Konto bei ${service}`,
      prose`Am ${time} wollte sich jemand mit Ihrer Adresse bei ${service} registrieren. Mit dieser
        Adresse haben Sie schon ein Konto. Es wurde kein weiteres angelegt.`,
      prose`Wenn Sie das waren, melden Sie sich mit Ihrem Passwort an. Wenn Sie es vergessen haben,
        fordern Sie ein neues an.`,
      'Wenn Sie das nicht waren, müssen Sie nichts tun.',
    ],
    email_taken: ({ service, time }) => [
      `Ihre Adresse wird bei ${service} schon verwendet`,
      prose`Am ${time} wollte jemand Ihre Adresse für ein anderes Konto bei ${service} verwenden.
        Mit Ihrer Adresse gibt es schon ein Konto, deshalb wurde nichts geändert.`,
      prose`Wenn Sie das waren, melden Sie sich mit dem bestehenden Konto an. Oder löschen Sie es,
        bevor Sie die Adresse für ein anderes Konto verwenden.`,
      'Wenn Sie das nicht waren, müssen Sie nichts tun.',
    ],
    email_removed: ({ service, time }) => [
      `Das Konto bei ${service} hat jetzt eine andere Adresse`,
      prose`Am ${time} hat ein Konto bei ${service} eine andere E-Mail-Adresse bekommen. Bis dahin
        hatte es diese.`,
      'Wenn Sie das waren oder das Konto nicht Ihres ist, müssen Sie nichts tun.',
      prose`Wenn das Konto Ihres ist und Sie das nicht waren, wenden Sie sich an den Betreiber von
        ${service}.`,
    ],
    factor_added: ({ service, time, address, isReplacement }) => [
      `Ihr Konto bei ${service} hat jetzt eine ${isReplacement ? 'andere ' : ''}Authenticator-App`,
      prose`Am ${time} wurde ${
        isReplacement
          ? `die Authenticator-App Ihres Kontos bei ${service} durch eine andere ersetzt`
          : `eine Authenticator-App zu Ihrem Konto bei ${service} hinzugefügt`
      }${address === undefined ? '' : `, von der IP-Adresse ${address} aus`}. Von jetzt
        an braucht eine Anmeldung einen Code dieser App.`,
      'Wenn Sie das waren, müssen Sie nichts tun.',
      prose`Wenn Sie das nicht waren, benutzt eine andere Person Ihr Konto. Wenden Sie sich sofort
        an den Betreiber von ${service}.`,
    ],
    factor_removed: ({ service, time }) => [
      `Ihr Konto bei ${service} hat keine Authenticator-App mehr`,
      prose`Am ${time} wurden die Authenticator-App und die Wiederherstellungscodes Ihres Kontos bei
        ${service} entfernt.`,
      'Wenn Sie davon wissen, müssen Sie nichts tun.',
      `Wenn nicht, wenden Sie sich sofort an den Betreiber von ${service}.`,
    ],
    recovery_codes_made: ({ service, time }) => [
      `Neue Wiederherstellungscodes für Ihr Konto bei ${service}`,
      prose`Am ${time} wurden neue Wiederherstellungscodes für Ihr Konto bei ${service} erstellt.
        Die alten gelten nicht mehr.`,
      'Wenn Sie das waren, müssen Sie nichts tun.',
      prose`Wenn Sie das nicht waren, benutzt eine andere Person Ihr Konto. Ändern Sie jetzt Ihr
        Passwort: Das meldet alle anderen Geräte ab. Erstellen Sie dann neue
        Wiederherstellungscodes: Bis dahin gelten die Codes der anderen Person.`,
    ],
    recovery_code_used: ({ service, time, address }) => [
      `Ein Wiederherstellungscode Ihres Kontos bei ${service} wurde benutzt`,
      prose`Am ${time} gab es eine Anmeldung bei Ihrem Konto bei ${service} mit einem Ihrer
        Wiederherstellungscodes${address === undefined ? '' : `, von der IP-Adresse ${address}`}.
        Dieser Code gilt nicht mehr.`,
      'Wenn Sie das waren, müssen Sie nichts tun.',
      prose`Wenn Sie das nicht waren, kennt eine andere Person Ihr Passwort oder benutzt Ihr Konto,
        und hat Ihre Wiederherstellungscodes. Ändern Sie jetzt Ihr Passwort: Das meldet alle anderen
        Geräte ab. Erstellen Sie dann neue Wiederherstellungscodes.`,
    ],
    factor_guessed: ({ service, time, address }) => [
      `Bei ${service} wurde ein falscher Code für Ihr Konto eingegeben`,
      prose`Am ${time} wurde bei ${service} ein falscher Code Ihrer Authenticator-App eingegeben,
        nach Ihrem Passwort oder auf einem Gerät, das bei Ihrem Konto angemeldet
        ist${address === undefined ? '' : `, von der IP-Adresse ${address} aus`}.`,
      'Wenn Sie das waren, zum Beispiel mit einem Tippfehler, müssen Sie nichts tun.',
      prose`Wenn Sie das nicht waren, kennt eine andere Person Ihr Passwort oder benutzt Ihr Konto.
        Ändern Sie jetzt Ihr Passwort: Das meldet auch alle anderen Geräte ab.`,
    ],
  },
  otherwise: 'Wenn der Knopf nicht geht, öffnen Sie diese Adresse:',
  automatic: 'Automatisch verschickte Mail ohne Links. Sie fragt nach keinem Passwort.',
  linkMails: {
    password_reset: (service) => ({
      subject: `Neues Passwort für ${service}`,
      beforeLink: prose`Für Ihr Konto bei ${service} wurde ein neues Passwort angefordert. Über
        diesen Link legen Sie es fest:`,
      beforeCode:
        'Oder geben Sie diesen Code dort ein, wo Sie das neue Passwort angefordert haben:',
      ifNotYou: prose`Wenn Sie das nicht angefordert haben, ignorieren Sie diese Mail: Ihr Passwort
        bleibt unverändert.`,
      withoutCode: {
        beforeLink: prose`Eine Änderung Ihres Kontos bei ${service} wurde über einen Link in einer
          Mail rückgängig gemacht. Ihr altes Passwort gilt nicht mehr. Über diesen Link legen Sie
          ein neues fest:`,
        ifNotYou: prose`Wenn nicht Sie die Änderung rückgängig gemacht haben, liest vielleicht eine
          andere Person Ihre Mails.`,
      },
    }),
    email_verification: (service) => ({
      subject: `Bestätigen Sie Ihre Adresse für ${service}`,
      beforeLink: prose`Bei ${service} gibt es ein Konto mit dieser Adresse. Wenn es Ihres ist,
        öffnen Sie diesen Link und geben Sie Ihr Passwort ein, um die Adresse zu bestätigen:`,
      beforeCode: 'Oder geben Sie diesen Code dort ein, wo Sie angemeldet sind:',
      ifNotYou: prose`Wenn das Konto nicht Ihres ist, hat eine andere Person Ihre Adresse angegeben.
        Ignorieren Sie diese Mail.`,
    }),
    registration: (service) => ({
      subject: `Schließen Sie Ihre Registrierung bei ${service} ab`,
      beforeLink: prose`Jemand möchte sich mit dieser Adresse bei ${service} registrieren. Wenn Sie
        das sind, öffnen Sie diesen Link und geben Sie das Passwort ein, das Sie gewählt haben:`,
      beforeCode: 'Oder geben Sie diesen Code dort ein, wo Sie sich registriert haben:',
      ifNotYou: 'Wenn Sie das nicht sind, ignorieren Sie diese Mail: Dann entsteht kein Konto.',
    }),
    email_change: (service) => ({
      subject: `Bestätigen Sie Ihre neue Adresse für ${service}`,
      beforeLink: prose`Diese Adresse wurde als neue Adresse eines Kontos bei ${service} angegeben.
        Wenn es Ihr Konto ist, bestätigen Sie sie über diesen Link:`,
      beforeCode: 'Oder geben Sie diesen Code dort ein, wo Sie die Adresse geändert haben:',
      ifNotYou: 'Wenn es nicht Ihr Konto ist, ignorieren Sie diese Mail.',
    }),
    invitation: (service) => ({
      subject: `Ihre Einladung zu ${service}`,
      beforeLink: prose`Sie sind eingeladen, ein Konto bei ${service} anzulegen. Über diesen Link
        wählen Sie einen Namen und ein Passwort:`,
      ifNotYou: 'Wenn Sie kein Konto möchten, ignorieren Sie diese Mail.',
    }),
  },
  undoMails: {
    email_changed: ({ service, link, lifetime, until }) => [
      `Die Adresse Ihres Kontos bei ${service} wurde geändert`,
      `Ihr Konto bei ${service} hat jetzt eine andere E-Mail-Adresse. Bisher hatte es diese.`,
      'Wenn Sie das waren, müssen Sie nichts tun.',
      prose`Wenn Sie das nicht waren, hat eine andere Person Zugriff auf Ihr Konto. Über diesen Link
        machen Sie die Änderung rückgängig:`,
      { link },
      prose`Dann werden alle Geräte abgemeldet, und Sie bekommen eine Mail für ein neues Passwort.
        Eine Authenticator-App wird entfernt, wenn sie seit der Änderung hinzugefügt wurde, oder
        wenn sie die erste des Kontos und weniger als eine Woche alt ist. Auch
        Wiederherstellungscodes, die in der Woche vor der Änderung oder später erstellt wurden,
        werden entfernt: Erstellen Sie dann neue. Der Link funktioniert einmal und ist ${lifetime}
        lang gültig (bis ${until}). Geben Sie ihn an niemanden weiter.`,
    ],
    first_factor_added: ({ service, link, lifetime, until }) => [
      `Ihr Konto bei ${service} hat jetzt eine Authenticator-App`,
      prose`Zu Ihrem Konto bei ${service} wurde eine Authenticator-App hinzugefügt. Von jetzt an
        braucht eine Anmeldung diese App.`,
      'Wenn Sie das waren, müssen Sie nichts tun.',
      prose`Wenn Sie das nicht waren, benutzt eine andere Person Ihr Konto. Über diesen Link
        entfernen Sie die App:`,
      { link },
      prose`Dann werden alle Geräte abgemeldet, und Sie bekommen eine Mail für ein neues Passwort.
        Der Link funktioniert einmal und ist ${lifetime} lang gültig (bis ${until}). Geben Sie ihn
        an niemanden weiter.`,
    ],
  },
  enrolment_code: ({ service, code, lifetime, until }) => [
    `Ihr Code für die Anmeldung bei ${service}`,
    prose`Es gibt eine Anmeldung an dem Konto mit dieser Adresse bei ${service}, mit dem richtigen
      Passwort. Das Konto muss jetzt eine Authenticator-App bekommen. Um sie einzurichten, geben Sie
      diesen Code dort ein, wo Sie sich anmelden:`,
    { code },
    prose`Der Code funktioniert einmal und ist ${lifetime} lang gültig (bis ${until}). Geben Sie ihn
      an niemanden weiter.`,
    prose`Wenn Sie das nicht waren, kennt eine andere Person das Passwort des Kontos. Legen Sie
      jetzt ein neues fest.`,
  ],
  both: {
    works: (lifetime, until) =>
      `Link und Code funktionieren einmal und sind ${lifetime} lang gültig (bis ${until}).`,
    keepSecret: 'Geben Sie Link und Code an niemanden weiter.',
  },
  linkOnly: {
    works: (lifetime, until) =>
      `Der Link funktioniert einmal und ist ${lifetime} lang gültig (bis ${until}).`,
    keepSecret: 'Geben Sie den Link an niemanden weiter.',
  },
  pages: {
    layout: { terms: 'Nutzungsbedingungen', privacy: 'Datenschutz', error: 'Fehler:' },
    login: 'Benutzername oder E-Mail-Adresse',
    password: 'Passwort',
    newPassword: 'Neues Passwort',
    newPasswordLength: (minLength) => `Mindestens ${minLength} Zeichen.`,
    newPasswordAdvice: 'Gut sind mehrere Wörter, die nicht zusammengehören.',
    username: 'Benutzername',
    usernameHint: prose`2 bis 63 Buchstaben ohne Umlaute, Ziffern, Punkte, Unterstriche oder
      Bindestriche, ohne Leerzeichen; am Anfang ein Buchstabe oder eine Ziffer.`,
    otherUsername: 'Anderer Benutzername',
    code: 'Code aus der Mail',
    codeHint: 'Acht Ziffern.',
    yes: 'Ja',
    no: 'Nein',
    noToken: 'Dieser Link ist nicht vollständig. Öffnen Sie den ganzen Link aus der Mail.',
    continueTo: 'Weiter zu',
    usedLink: {
      heading: 'Dieser Link gilt nicht mehr',
      reason: 'Ein Link aus einer Mail gilt einmal und nur eine begrenzte Zeit.',
    },
    unavailablePage: {
      heading: 'Das geht im Moment nicht',
      opened: 'Es liegt nicht an Ihnen. Versuchen Sie es gleich noch einmal.',
      sent: prose`Es liegt nicht an Ihnen. Warten Sie einen Moment. Gehen Sie dann zurück und
        schicken Sie das Formular noch einmal ab.`,
      again: 'Noch einmal versuchen',
    },
    refusalPage: {
      refused: {
        heading: 'Das hat nicht geklappt',
        text: 'Öffnen Sie die Seite noch einmal, und schicken Sie das Formular von dort ab.',
      },
      broken: {
        heading: 'Etwas ist schiefgegangen',
        text: 'Das liegt an uns und nicht an Ihnen. Versuchen Sie es später noch einmal.',
      },
      details: 'Für den Betreiber der App',
    },
    faults: {
      wrongPassword: 'Das Passwort ist falsch.',
      wrongCode: prose`Der Code ist falsch, schon benutzt oder abgelaufen. Nehmen Sie den Code der
        neuesten Mail.`,
      otherPassword: 'Wählen Sie ein anderes Passwort.',
      input: 'Das geht so nicht.',
      tooMany: (wait) => `Zu viele Versuche. Versuchen Sie es in ${wait} noch einmal.`,
      unavailable: 'Das geht im Moment nicht. Versuchen Sie es in ein paar Sekunden noch einmal.',
    },
    passwordFaults: {
      password_malformed: 'Das Passwort hat ungültige Zeichen.',
      password_too_long: 'Das Passwort ist zu lang.',
      password_too_short: 'Das Passwort ist zu kurz.',
      password_guessable: prose`Das Passwort ist zu leicht zu erraten.`,
      password_has_name: prose`Das Passwort darf nicht Ihren Namen, Ihre Adresse oder den Namen
        dieses Dienstes enthalten.`,
    },
    start: {
      heading: 'Melden Sie sich in Ihrer App an',
      text: 'Dieser Server hat die Konten einer App. Um sich anzumelden, öffnen Sie die App.',
      own: 'Melden Sie sich an, um Ihr Konto zu sehen und zu ändern.',
    },
    notFound: {
      heading: 'Hier ist keine Seite',
      text: prose`Prüfen Sie die Adresse. Wenn Sie aus einer Mail kommen, öffnen Sie den ganzen Link
        aus der Mail.`,
      toStart: 'Zur Startseite',
    },
    forgot: {
      heading: 'Passwort vergessen?',
      intro: prose`Wir schicken Ihnen eine Mail mit einem Link und einem Code. Damit legen Sie ein
        neues Passwort fest.`,
      button: 'Mail anfordern',
    },
    sent: {
      heading: 'Sehen Sie in Ihr Postfach',
      intro: prose`Wenn es ein Konto mit diesem Namen oder dieser Adresse gibt, ist eine Mail
        unterwegs. Öffnen Sie den Link darin, oder geben Sie hier den Code aus der Mail und ein
        neues Passwort ein.`,
      advice: prose`Suchen Sie eine frühere Mail, auch im Spam: Der Link darin gilt drei Stunden.
        Wenn nach zwei Minuten keine da ist, [fordern Sie eine neue an]. Prüfen Sie dabei Ihre
        Eingabe, und versuchen Sie auch Ihren Benutzernamen oder eine andere Adresse. Wenn wieder
        keine kommt, versuchen Sie es in sechs Stunden noch einmal.`,
    },
    reset: {
      heading: 'Neues Passwort festlegen',
      button: 'Passwort speichern',
      done: {
        heading: 'Ihr neues Passwort gilt',
        text: 'Sie sind auf allen Geräten abgemeldet. Melden Sie sich mit dem neuen Passwort an.',
      },
      codesAgain: prose`Wenn Ihr Konto eine Authenticator-App hat, fragt jedes Gerät wieder nach
        einem Code.`,
      used: prose`Wenn Sie Ihr neues Passwort damit festgelegt haben, melden Sie sich an. Wenn
        nicht, fordern Sie eine neue Mail an.`,
      noToken: prose`Dieser Link ist nicht vollständig. Öffnen Sie den ganzen Link aus der Mail oder
        fordern Sie eine neue Mail an.`,
      again: 'Neue Mail anfordern',
    },
    verify: {
      heading: 'Bestätigen Sie Ihre Adresse',
      intro: prose`Geben Sie das Passwort Ihres Kontos ein. Wenn Sie es nicht kennen, hat sich eine
        andere Person mit Ihrer Adresse registriert: Schließen Sie dann diese Seite.`,
      button: 'Adresse bestätigen',
      done: { heading: 'Ihre Adresse ist bestätigt', text: 'Sie können diese Seite schließen.' },
      used: prose`Wenn Sie Ihre Adresse damit bestätigt haben, können Sie diese Seite schließen.
        Wenn nicht, fordern Sie in der App, in der Sie sich registriert haben, eine neue Mail an.`,
    },
    finish: {
      heading: 'Schließen Sie Ihre Registrierung ab',
      intro: prose`Geben Sie das Passwort ein, das Sie bei der Registrierung gewählt haben. Wenn Sie
        sich nicht registriert haben, schließen Sie diese Seite: Dann entsteht kein Konto.`,
      button: 'Konto anlegen',
      done: { heading: 'Ihr Konto ist bereit', text: 'Sie können sich jetzt anmelden.' },
      used: prose`Wenn Sie Ihr Konto damit angelegt haben, melden Sie sich an. Wenn nicht,
        registrieren Sie sich noch einmal.`,
      wrongPassword: prose`Das Passwort ist falsch. Wenn Sie es nicht mehr wissen, registrieren Sie
        sich noch einmal.`,
      usernameTaken: 'Dieser Benutzername ist nicht mehr verfügbar. Wählen Sie einen anderen.',
      emailTaken: prose`Mit dieser Adresse gibt es inzwischen ein Konto. Melden Sie sich an oder
        fordern Sie ein neues Passwort an.`,
    },
    change: {
      heading: 'Neue Adresse bestätigen',
      intro: prose`Geben Sie das Passwort Ihres Kontos ein. Wenn Sie keine Adresse geändert haben,
        schließen Sie diese Seite: Dann ändert sich nichts.`,
      button: 'Adresse bestätigen',
      done: { heading: 'Ihre Adresse ist geändert', text: 'Sie können diese Seite schließen.' },
      used: prose`Wenn Sie Ihre Adresse damit bestätigt haben, können Sie diese Seite schließen.
        Wenn nicht, ändern Sie die Adresse in der App noch einmal.`,
      refused: 'Das Passwort ist falsch, oder die Adresse ist nicht mehr frei.',
      factorMissing: prose`Ihr Konto hat eine Authenticator-App, deren Codes diese Seite nicht
        prüfen kann. Geben Sie den Code aus der Mail dort ein, wo Sie die Adresse geändert haben.`,
      factorInLogin: prose`Ihr Konto hat eine Authenticator-App. [Bestätigen Sie die Adresse in
        Ihrem Konto.] Wenn Sie sich dort erst anmelden müssen, öffnen Sie danach den Link in der
        Mail noch einmal.`,
    },
    undo: {
      heading: 'Änderung Ihrer Adresse rückgängig machen',
      intro: prose`Ihr Konto bekommt dann die alte Adresse zurück. Alle Geräte werden abgemeldet,
        und Sie bekommen eine Mail für ein neues Passwort. Eine Authenticator-App wird entfernt,
        wenn sie seit der Änderung hinzugefügt wurde, oder wenn sie die erste des Kontos und weniger
        als eine Woche alt ist. Auch Wiederherstellungscodes, die in der Woche vor der Änderung oder
        später erstellt wurden, werden entfernt: Erstellen Sie dann neue.`,
      button: 'Rückgängig machen',
      done: { heading: 'Ihre alte Adresse gilt wieder', text: afterUndo },
      used: prose`Wenn Sie die Änderung damit rückgängig gemacht haben, sehen Sie in Ihr Postfach:
        Dort ist eine Mail für ein neues Passwort. Wenn nicht, wenden Sie sich an den Betreiber der
        App.`,
    },
    undoFactor: {
      heading: 'Authenticator\u2011App entfernen',
      intro: prose`Die Authenticator-App wird dann von Ihrem Konto entfernt. Alle Geräte werden
        abgemeldet, und Sie bekommen eine Mail für ein neues Passwort.`,
      button: 'App entfernen',
      done: { heading: 'Die App ist entfernt', text: afterUndo },
      used: prose`Wenn Sie den Link schon benutzt haben oder die App nicht Ihre war, öffnen Sie den
        Link der neuesten Mail zu Ihrem Konto oder legen Sie ein neues Passwort fest. Wenn Sie die
        App selbst in Ihrem Konto hinzugefügt oder entfernt haben, müssen Sie nichts tun. Hilft das
        nicht, wenden Sie sich an den Betreiber dieses Dienstes.`,
    },
    accept: {
      heading: 'Konto anlegen',
      intro: 'Wählen Sie den Namen und das Passwort, mit denen Sie sich anmelden werden.',
      button: 'Konto anlegen',
      done: { heading: 'Ihr Konto ist angelegt', text: 'Sie können sich jetzt anmelden.' },
      used: prose`Wenn Sie Ihr Konto damit angelegt haben, melden Sie sich an. Wenn nicht, bitten
        Sie die Person, die Sie eingeladen hat, um eine neue Einladung.`,
      taken: 'Dieser Benutzername oder Ihre Adresse ist schon vergeben.',
    },
    register: {
      link: 'Konto anlegen',
      heading: 'Konto anlegen',
      haveOne: 'Sie haben schon eines? [Anmelden]',
      emailHint: 'Wir senden eine Mail dorthin, um sie zu bestätigen.',
      usernameTaken: 'Dieser Benutzername ist vergeben. Wählen Sie einen anderen.',
      emailTaken: prose`Mit dieser Adresse gibt es ein Konto. Melden Sie sich an oder geben Sie eine
        andere Adresse ein.`,
      button: 'Konto anlegen',
      sent: {
        heading: 'Sehen Sie in Ihr Postfach',
        intro: (
          address,
        ) => prose`Eine Mail an ${address} ist unterwegs und sagt, wie es weitergeht. Wenn sie einen
          Code hat, können Sie ihn hier eingeben.`,
        linkUsed: 'Wenn Sie den Link in der Mail geöffnet haben, [melden Sie sich an].',
        passwordHint: 'Das Passwort, das Sie bei der Registrierung gewählt haben.',
        button: 'Weiter',
        noMail: 'Keine Mail?',
        advice: prose`Sehen Sie im Spam nach und warten Sie zwei Minuten. Dann [registrieren Sie
          sich noch einmal]: Name und Adresse sind schon ausgefüllt. Wenn wieder keine Mail kommt,
          hat Ihre Adresse vielleicht zu viele bekommen: Versuchen Sie es in sechs Stunden noch
          einmal.`,
      },
      ready: 'Ihr Konto ist bereit. Geben Sie zur Sicherheit noch einmal Ihr Passwort ein.',
    },
    acceptance: {
      both: prose`Ich akzeptiere die [Nutzungsbedingungen] und habe die [Datenschutzerklärung]
        gelesen.`,
      terms: 'Ich akzeptiere die [Nutzungsbedingungen].',
      privacy: 'Ich habe die [Datenschutzerklärung] gelesen.',
      missing: 'Setzen Sie dieses Häkchen, um Ihr Konto anzulegen.',
    },
    loginPage: {
      heading: 'Anmelden',
      toAccount: 'mit Ihrem Konto bei',
      button: 'Anmelden',
      back: 'Zurück zur Anmeldung',
      notYou: 'Nicht Sie?',
      ended: 'Sie wurden hier abgemeldet. Melden Sie sich wieder an.',
      wrong: prose`Der Name oder das Passwort ist falsch. Prüfen Sie beides, und ob die
        Feststelltaste an ist.`,
      meanwhile: {
        byUsername: 'Mit Ihrem Benutzernamen geht es vielleicht sofort.',
        byEmail: 'Mit Ihrer E-Mail-Adresse geht es vielleicht sofort.',
        byMail: prose`Wenn Sie in diesem Browser ein neues Passwort per Mail festlegen, geht
          es sofort.`,
      },
      wrongCode: 'Dieser Code ist falsch oder schon benutzt. Warten Sie auf den nächsten.',
      wrongRecoveryCode: prose`Dieser Wiederherstellungscode ist falsch, schon benutzt oder von
        einer älteren Liste.`,
      factor: {
        heading: 'Code eingeben',
        intro: 'Öffnen Sie Ihre Authenticator-App und geben Sie die sechs Ziffern ein.',
        label: 'Code aus der App',
        button: 'Weiter',
        other: 'Wiederherstellungscode benutzen',
        remember: (days) =>
          days === 1
            ? 'Auf diesem Gerät einen Tag lang keinen Code verlangen'
            : `Auf diesem Gerät ${days}\u00a0Tage lang keinen Code verlangen`,
      },
      recovery: {
        heading: 'Wiederherstellungs\u00adcode eingeben',
        intro: 'Jeder der Codes, die Sie gespeichert haben, gilt für eine Anmeldung.',
        label: 'Wiederherstellungscode',
        hint: '16 Buchstaben und Ziffern.',
        button: 'Weiter',
        other: 'Code aus der App benutzen',
        meanwhile: 'Ein Wiederherstellungscode gilt sofort.',
      },
      again: {
        heading: 'Sind Sie es?',
        intro: 'Zeigen Sie noch einmal, dass Sie es sind, um Ihr Konto zu ändern.',
        account: 'Konto: ',
        button: 'Weiter',
      },
      mailbox: {
        heading: 'Sehen Sie in Ihr Postfach',
        intro: prose`Dieses Konto braucht eine Authenticator-App. Bestätigen Sie zuerst, dass dieses
          Konto Ihnen gehört: Eine Mail mit einem Code ist unterwegs an seine Adresse.`,
      },
      enrol: {
        heading: 'Authenticator\u2011App einrichten',
        intro: 'Danach melden Sie sich mit Ihrem Passwort und einem Code aus der App an.',
        next: 'Weiter',
        getApp: 'Eine Authenticator-App installieren',
        anyApp: prose`Eine App auf Ihrem Telefon, die sechsstellige Codes zeigt, zum Beispiel Google
          Authenticator, Microsoft Authenticator oder die App Ihres Passwortmanagers.`,
        scan: 'Dieses Bild mit der App scannen',
        open: 'Die App auf diesem Gerät öffnen',
        orType: 'Oder geben Sie diesen Schlüssel in der App ein:',
        enterCode: 'Den Code eingeben, den die App zeigt',
        wrongCode: prose`Dieser Code ist falsch. Versuchen Sie den nächsten. Ist auch der falsch,
          fügen Sie das Konto wie oben noch einmal zur App hinzu und geben Sie den Code des neuesten
          Eintrags ein.`,
        button: 'Einschalten',
      },
      codes: {
        heading: 'Wiederherstellungs\u00adcodes speichern',
        intro: prose`Wenn Sie Ihr Telefon verlieren, können Sie sich mit jedem dieser Codes einmal
          anmelden. Sie sehen sie nur jetzt.`,
        save: 'Als Textdatei speichern',
        keep: prose`Drucken Sie diese Seite, oder bewahren Sie die Codes im Passwortmanager auf.
          Nicht nur auf dem Telefon.`,
        saved: 'Ich habe die Codes gespeichert',
        once: 'Jeder Code gilt einmal.',
        button: 'Weiter',
      },
      expired: {
        heading: 'Die Anmeldung ist abgelaufen',
        text: prose`Sie haben zehn Minuten Zeit, sich im selben Browser anzumelden. Beginnen Sie
          noch einmal.`,
        button: 'Anmelden',
      },
      wrongCodes: {
        heading: 'Zu viele falsche Codes',
        text: 'Melden Sie sich noch einmal an.',
        newest: 'Wenn Ihre App mehrere Einträge mit diesem Namen hat, nehmen Sie den neuesten.',
      },
      cookiesOff: {
        heading: 'Ihr Browser speichert keine Cookies',
        text: prose`Eine Anmeldung braucht ein Cookie dieser Seite. Erlauben Sie Cookies, und melden
          Sie sich dann noch einmal an. Auf diesem Rechner ohne TLS speichert Safari keine: Nehmen
          Sie einen anderen Browser.`,
      },
      elsewhere: {
        heading: 'Die Anmeldung braucht einen anderen Schritt',
        text: prose`Ihr Konto verlangt einen zweiten Schritt, den diese Seite nicht anbietet. Melden
          Sie sich dort an, wo Sie diesen Schritt eingerichtet haben. Ist das nicht möglich, wenden
          Sie sich an den Betreiber der App.`,
      },
      logout: {
        heading: 'Auf diesem Gerät abmelden?',
        intro: 'Ihre anderen Geräte bleiben angemeldet.',
        button: 'Abmelden',
        again: 'Wieder anmelden',
        done: {
          heading: 'Sie sind abgemeldet',
          text: 'Wenn Sie auf anderen Geräten angemeldet sind, bleiben Sie es dort.',
        },
      },
    },
    accountHome: {
      heading: 'Ihr Konto',
      sections: 'Abschnitte',
      logOut: 'Abmelden',
      back: 'Zurück zu Ihrem Konto',
      change: 'Ändern',
      currentPassword: 'Aktuelles Passwort',
      othersEnd: 'Ihre anderen Geräte werden dann abgemeldet.',
      done: {
        profile: 'Ihr Profil ist gespeichert.',
        email: 'Ihre E-Mail-Adresse ist geändert.',
        verified: 'Ihre E-Mail-Adresse ist bestätigt.',
        password: 'Ihr Passwort ist geändert. Ihre anderen Geräte sind abgemeldet.',
        app: 'Die Authenticator-App ist eingerichtet. Ihre anderen Geräte sind abgemeldet.',
        appRemoved: 'Die Authenticator-App ist entfernt. Ihre anderen Geräte sind abgemeldet.',
        codes: 'Sie haben neue Wiederherstellungscodes. Die alten funktionieren nicht mehr.',
        device: 'Das Gerät ist abgemeldet.',
        devices: 'Alle anderen Geräte sind abgemeldet.',
      },
      profile: {
        title: 'Profil',
        hint: 'Ihre persönlichen Angaben.',
        button: 'Speichern',
      },
      email: {
        title: 'E-Mail-Adresse',
        confirmed: 'Bestätigt',
        unconfirmed: 'Nicht bestätigt',
        none: 'Keine',
        heading: 'Adresse ändern',
        intro: 'Mails zu Ihrem Konto gehen dann an diese Adresse.',
        label: 'Neue E-Mail-Adresse',
        button: 'Adresse ändern',
        invalid: 'Das ist keine E-Mail-Adresse. Sie sollte aussehen wie ada@example.com.',
        taken: 'Diese Adresse gehört zu einem anderen Konto. Geben Sie eine andere ein.',
        waits: 'Wartet auf Bestätigung',
        enterCode: 'Code eingeben',
        another: 'Zu einer anderen Adresse wechseln',
        confirms: (address) => prose`Ihr Konto bekommt die Adresse ${address}. Mails zu Ihrem Konto
        gehen dann dorthin.`,
        wrongLink: 'Dieser Link wurde benutzt, ist abgelaufen oder gilt für ein anderes Konto.',
      },
      verification: {
        heading: 'Adresse bestätigen',
        intro: (address) =>
          `Wir senden einen neuen Code an ${address}. Frühere Codes gelten dann nicht mehr.`,
        send: 'Neuen Code senden',
        sent: {
          heading: 'Sehen Sie in Ihr Postfach',
          intro: (address) => prose`Eine Mail an ${address} ist unterwegs. Geben Sie den Code aus
            der Mail hier ein. Wenn keine kommt, sehen Sie auch im Spam nach.`,
          button: 'Adresse bestätigen',
        },
      },
      signIn: { title: 'Anmeldung', hint: 'Wie Sie sich anmelden.' },
      password: {
        heading: 'Passwort ändern',
        intro: 'Ihre anderen Geräte werden dann abgemeldet.',
        button: 'Passwort ändern',
      },
      app: {
        title: 'Authenticator-App',
        on: 'Ein',
        off: 'Nicht eingerichtet',
        setUp: 'Einrichten',
        replace: 'Ersetzen',
        remove: 'Entfernen',
        since: (time) => `Seit ${time}`,
        replaces: prose`Die neue App ersetzt die alte. Sie bekommen neue Wiederherstellungscodes,
          und die alten gelten dann nicht mehr.`,
        replacing: 'Authenticator\u2011App ersetzen',
        again: 'Noch einmal beginnen',
        otherPicture: prose`Sie haben auf einer anderen Seite noch einmal begonnen, darum gilt das
          frühere Bild nicht mehr. Scannen Sie das Bild oben und geben Sie den Code des neuesten
          Eintrags ein.`,
        addressFirst: 'Bestätigen Sie zuerst Ihre E-Mail-Adresse. Richten Sie dann die App ein.',
        missing: {
          heading: 'Es gibt keine Authenticator\u2011App',
          text: 'Ihr Konto hat keine Authenticator-App und keine Wiederherstellungscodes.',
        },
        isSetUp: {
          heading: 'Die App ist eingerichtet',
          text: (time) => prose`Ihr Konto hat seit dem ${time} eine Authenticator-App. Nur der
            Eintrag in der App, dessen Code angenommen wurde, funktioniert: Löschen Sie andere
            Einträge mit diesem Namen. Wenn Sie die Wiederherstellungscodes nicht gespeichert haben,
            erstellen Sie neue.`,
        },
        gone: prose`Das hat zu lange gedauert, oder die App wurde anderswo eingerichtet. Beginnen
          Sie noch einmal.`,
        removal: {
          heading: 'Authenticator\u2011App entfernen?',
          passwordOnly: 'Sie melden sich dann nur noch mit Ihrem Passwort an.',
          codesEnd: 'Ihre Wiederherstellungscodes gelten dann nicht mehr.',
          button: 'App entfernen',
          replace: 'Telefon oder App wechseln',
          required: prose`Ihr Konto braucht eine Authenticator-App. Wenn Sie ein neues Telefon
            haben, richten Sie die App stattdessen dort ein.`,
        },
      },
      codes: {
        title: 'Wiederherstellungscodes',
        left: (count) => `${count} übrig`,
        made: (time) => `Erstellt am ${time}`,
        used: prose`Sie haben sich mit einem Wiederherstellungscode angemeldet. Er gilt jetzt nicht
          mehr.`,
        lost: 'Wenn Sie Ihre Authenticator-App nicht mehr haben, [ersetzen Sie sie].',
        unsaved: prose`Sie haben die Seite mit den Wiederherstellungscodes verlassen, ohne das
        Speichern zu bestätigen. Wenn Sie sie nicht haben, [erstellen Sie neue].`,
        renew: 'Neue erstellen',
        heading: 'Neue Wiederherstellungscodes erstellen?',
        oldEnd: 'Die alten Codes gelten dann nicht mehr.',
        button: 'Neue Codes erstellen',
      },
      devices: {
        title: 'Geräte',
        hint: prose`Wo Sie angemeldet sind. Kennen Sie eines nicht? Melden Sie es ab, und ändern Sie
          dann Ihr Passwort.`,
        name: (browser, system) => `${browser} auf ${system}`,
        unknown: 'Unbekanntes Gerät',
        unknownBrowser: 'Unbekannter Browser',
        thisDevice: 'Dieses Gerät',
        lastUsed: (time) => `Zuletzt benutzt: ${time}`,
        end: 'Abmelden',
        endOthers: 'Alle anderen Geräte abmelden',
        heading: 'Alle anderen Geräte abmelden?',
        thisStays: 'Dieses Gerät bleibt angemeldet.',
        button: 'Die anderen abmelden',
      },
      deletion: {
        title: 'Konto löschen',
        hint: 'Das lässt sich nicht rückgängig machen.',
        text: 'Ihr Profil, Ihre Anmeldedaten und die Liste Ihrer Geräte werden gelöscht.',
        open: 'Mein Konto löschen …',
        heading: 'Ihr Konto löschen?',
        loggedOut: 'Sie werden sofort überall abgemeldet.',
        erased: 'Ihr Profil, Ihre Anmeldedaten und die Liste Ihrer Geräte werden gelöscht.',
        final: prose`Das lässt sich nicht rückgängig machen. Ein neues Konto mit dieser Adresse
          stellt nichts wieder her, und Ihr Benutzername ist nicht wieder verfügbar.`,
        button: 'Mein Konto löschen',
        keep: 'Mein Konto behalten',
        lastAdministrator: prose`Sie sind der letzte Administrator. Machen Sie zuerst einen anderen
          Benutzer zum Administrator.`,
        done: {
          heading: 'Ihr Konto ist gelöscht',
          text: 'Sie sind auf allen Geräten abgemeldet.',
        },
      },
    },
  },
}
