import { prose } from '../prose.ts'
import type { Texts } from '../text-types.ts'

/** What both pages that undo a change say at the end. */
const afterUndo = prose`Your old password does not work any more. A mail is on its way to you: set a
  new password with its link. If no mail comes, request a new one.`

export const en: Texts = {
  notices: {
    password_changed: ({ service, time, address }) => [
      `Your password at ${service} was changed`,
      prose`The password of your account at ${service} was changed on
        ${time}${address === undefined ? '' : ` from the IP address ${address}`}.`,
      'If you did this, you do not have to do anything.',
      prose`If you did not do this, another person has access to your account. Contact the people
        who run ${service} now.`,
    ],
    new_device: ({ service, time, address }) => [
      `New login to your account at ${service}`,
      prose`There was a login to your account at ${service} on ${time} from a device that we did not
        recognise${address === undefined ? '' : `, from the IP address ${address}`}. This can be a
        new device, or one of yours after a new password.`,
      'If this was you, you do not have to do anything.',
      'If this was not you, change your password now. This logs out all other devices.',
    ],
    account_disabled: ({ service, time }) => [
      `Your account at ${service} was disabled`,
      `Your account at ${service} was disabled on ${time}. You cannot log in any more.`,
      `If you have questions, contact the people who run ${service}.`,
    ],
    account_deleted: ({ service, time }) => [
      `Your account at ${service} was deleted`,
      `Your account at ${service} was deleted on ${time}. You cannot log in any more.`,
      'If you know about this, you do not have to do anything.',
      `If you do not, contact the people who run ${service} now.`,
    ],
    already_registered: ({ service, time }) => [
      `You already have an account at ${service}`,
      prose`On ${time}, a person wanted to register at ${service} with your address. You already
        have an account with it, so no other account was created.`,
      'If this was you, log in with your password. If you have forgotten it, request a new one.',
      'If this was not you, you do not have to do anything.',
    ],
    email_taken: ({ service, time }) => [
      `Your address is already in use at ${service}`,
      prose`On ${time}, a user of ${service} wanted to use your address for another account. There
        already is an account with your address, so nothing was changed.`,
      'If this was you, log in to the account with this address, or delete it first.',
      'If this was not you, you do not have to do anything.',
    ],
    email_removed: ({ service, time }) => [
      `The account at ${service} has another address now`,
      prose`On ${time}, an account at ${service} got another e-mail address. Until then, it had this
        one.`,
      'If you did this, or if the account is not yours, you do not have to do anything.',
      `If the account is yours and you did not do this, contact the people who run ${service}.`,
    ],
    factor_added: ({ service, time, address, isReplacement }) => [
      `Your account at ${service} has ${isReplacement ? 'another' : 'an'} authenticator app now`,
      prose`On ${time}, ${
        isReplacement
          ? `the authenticator app of your account at ${service} was replaced by another one`
          : `an authenticator app was added to your account at ${service}`
      }${address === undefined ? '' : `, from the IP address ${address}`}. From now on, a login
      needs
        a code of this app.`,
      'If you did this, you do not have to do anything.',
      prose`If you did not do this, another person uses your account. Contact the people who run
        ${service} now.`,
    ],
    factor_removed: ({ service, time }) => [
      `Your account at ${service} has no authenticator app any more`,
      prose`On ${time}, the authenticator app and the recovery codes of your account at ${service}
        were removed.`,
      'If you know about this, you do not have to do anything.',
      `If you do not, contact the people who run ${service} now.`,
    ],
    recovery_codes_made: ({ service, time }) => [
      `New recovery codes for your account at ${service}`,
      prose`On ${time}, new recovery codes were made for your account at ${service}. The old ones do
        not work any more.`,
      'If you did this, you do not have to do anything.',
      prose`If you did not do this, another person uses your account. Change your password now: this
        logs out all other devices. Then make new recovery codes: until then, the codes of the other
        person work.`,
    ],
    recovery_code_used: ({ service, time, address }) => [
      `A recovery code of your account at ${service} was used`,
      prose`On ${time}, there was a login to your account at ${service} with one of your recovery
        codes${address === undefined ? '' : `, from the IP address ${address}`}. This code does not
        work any more.`,
      'If this was you, you do not have to do anything.',
      prose`If this was not you, another person has your password or uses your account, and has your
        recovery codes. Change your password now: this logs out all other devices. Then make new
        recovery codes.`,
    ],
    factor_guessed: ({ service, time, address }) => [
      `A wrong code was entered for your account at ${service}`,
      prose`On ${time}, a wrong code of your authenticator app was entered at ${service}, after your
        password or on a device that is logged in to your
        account${address === undefined ? '' : `, from the IP address ${address}`}.`,
      'If this was you, for example with a typing error, you do not have to do anything.',
      prose`If this was not you, another person knows your password or uses your account. Change
        your password now: this also logs out all other devices.`,
    ],
  },
  otherwise: 'If the button does not work, open this address:',
  automatic: 'This mail was sent automatically. It has no links and asks for no password.',
  linkMails: {
    password_reset: (service) => ({
      subject: `Set a new password for ${service}`,
      beforeLink: prose`A new password was requested for your account at ${service}. Open this link
        to set it:`,
      beforeCode: 'Or enter this code where you requested the new password:',
      ifNotYou: 'If you did not request this, ignore this mail: your password stays as it is.',
      withoutCode: {
        beforeLink: prose`A change of your account at ${service} was undone with a link in a mail.
          Your old password does not work any more. Open this link to set a new one:`,
        ifNotYou: 'If you did not undo this change, another person may read your mails.',
      },
    }),
    email_verification: (service) => ({
      subject: `Confirm your address for ${service}`,
      beforeLink: prose`There is an account at ${service} with this address. If it is yours, open
        this link and enter your password to confirm the address:`,
      beforeCode: 'Or enter this code where you are logged in:',
      ifNotYou:
        'If the account is not yours, another person has entered your address. Ignore this mail.',
    }),
    registration: (service) => ({
      subject: `Finish your registration at ${service}`,
      beforeLink: prose`This address was entered to register at ${service}. If this was you, open
        this link and enter the password that you chose:`,
      beforeCode: 'Or enter this code where you registered:',
      ifNotYou: 'If this was not you, ignore this mail: then no account is created.',
    }),
    email_change: (service) => ({
      subject: `Confirm your new address for ${service}`,
      beforeLink: prose`This address was entered as the new address of an account at ${service}. If
        the account is yours, open this link to confirm it:`,
      beforeCode: 'Or enter this code where you changed the address:',
      ifNotYou: 'If the account is not yours, ignore this mail.',
    }),
    invitation: (service) => ({
      subject: `Your invitation to ${service}`,
      beforeLink: prose`You are invited to create an account at ${service}. Open this link to choose
        a name and a password:`,
      ifNotYou: 'If you do not want an account, ignore this mail.',
    }),
  },
  undoMails: {
    email_changed: ({ service, link, lifetime, until }) => [
      `The address of your account at ${service} was changed`,
      `Your account at ${service} now has another e-mail address. It had this one until now.`,
      'If you did this, you do not have to do anything.',
      prose`If you did not do this, another person has access to your account. Open this link to
        undo the change:`,
      { link },
      prose`Then all devices are logged out, and you get a mail to set a new password. An
        authenticator app that was added since the change, or that is the first one of the account
        and less than a week old, is removed. Recovery codes that were made in the week before the
        change or later are removed too: then make new ones. The link works once, within ${lifetime}
        (until ${until}). Do not give it to anyone.`,
    ],
    first_factor_added: ({ service, link, lifetime, until }) => [
      `Your account at ${service} has an authenticator app now`,
      prose`An authenticator app was added to your account at ${service}. From now on, a login needs
        this app.`,
      'If you did this, you do not have to do anything.',
      prose`If you did not do this, another person uses your account. Open this link to remove the
        app:`,
      { link },
      prose`Then all devices are logged out, and you get a mail to set a new password. The link
        works once, within ${lifetime} (until ${until}). Do not give it to anyone.`,
    ],
  },
  enrolment_code: ({ service, code, lifetime, until }) => [
    `Your code for the login at ${service}`,
    prose`There is a login to the account with this address at ${service}, with its password. Now
      the account must get an authenticator app. To set it up, enter this code where you log in:`,
    { code },
    `The code works once, within ${lifetime} (until ${until}). Do not give it to anyone.`,
    prose`If this was not you, another person knows the password of the account. Set a new one
      now.`,
  ],
  both: {
    works: (lifetime, until) =>
      `The link and the code work once, within ${lifetime} (until ${until}).`,
    keepSecret: 'Do not give the link or the code to anyone.',
  },
  linkOnly: {
    works: (lifetime, until) => `The link works once, within ${lifetime} (until ${until}).`,
    keepSecret: 'Do not give the link to anyone.',
  },
  pages: {
    layout: { terms: 'Terms', privacy: 'Privacy', error: 'Error:' },
    login: 'User name or e-mail address',
    password: 'Password',
    newPassword: 'New password',
    newPasswordLength: (minLength) => `At least ${minLength} characters.`,
    newPasswordAdvice: 'Several words that do not belong together are good.',
    username: 'User name',
    usernameHint: prose`2 to 63 letters, digits, dots, underscores or hyphens, no spaces, with a
      letter or digit first.`,
    otherUsername: 'Another user name',
    code: 'Code from the mail',
    codeHint: 'Eight digits.',
    yes: 'Yes',
    no: 'No',
    noToken: 'This link is not complete. Open the whole link in the mail.',
    continueTo: 'Continue to',
    usedLink: {
      heading: 'This link does not work any more',
      reason: 'A link from a mail works once, and only for some time.',
    },
    unavailablePage: {
      heading: 'This does not work at the moment',
      opened: 'This is not your fault. Try again in a moment.',
      sent: 'This is not your fault. Wait a moment, then go back and send the form again.',
      again: 'Try again',
    },
    refusalPage: {
      refused: {
        heading: 'This did not work',
        text: 'Open the page again, and send the form from there.',
      },
      broken: {
        heading: 'Something went wrong',
        text: 'This is our fault, not yours. Try again later.',
      },
      details: 'For the people who run the app',
    },
    faults: {
      wrongPassword: 'The password is wrong.',
      wrongCode: prose`The code is wrong, was used before, or has expired. Use the code of the
        newest mail.`,
      otherPassword: 'Choose another password.',
      input: 'This is not possible.',
      tooMany: (wait) => `Too many tries. Try again in ${wait}.`,
      unavailable: 'This does not work at the moment. Try again in a few seconds.',
    },
    start: {
      heading: 'Log in with your app',
      text: 'This server has the accounts of an app. To log in, open the app.',
      own: 'Log in to see and change your account.',
    },
    notFound: {
      heading: 'There is no page here',
      text: 'Check the address. If you come from a mail, open the whole link in the mail.',
      toStart: 'Go to the start page',
    },
    forgot: {
      heading: 'Forgot your password?',
      intro: 'We will send you a mail with a link and a code to set a new password.',
      button: 'Send the mail',
    },
    sent: {
      heading: 'Check your mail',
      intro: prose`If there is an account with this name or address, a mail is on its way. Open its
        link, or enter its code and a new password here.`,
      advice: prose`Look for an earlier mail, also in the spam folder: its link works for three
        hours. If there is none after two minutes, [request a new mail]. Check
        what you type, and try your user name or another address too. If still none comes, try
        again in six hours.`,
    },
    reset: {
      heading: 'Set a new password',
      button: 'Set the password',
      done: {
        heading: 'Your password is set',
        text: 'You are logged out on all devices. Log in with the new password.',
      },
      codesAgain: 'If your account has an authenticator app, each device asks for a code again.',
      used: 'If you have set your new password with it, log in. If not, request a new mail.',
      noToken: 'This link is not complete. Open the whole link in the mail, or request a new mail.',
      again: 'Request a new mail',
    },
    verify: {
      heading: 'Confirm your address',
      intro: prose`Enter the password of your account. If you do not know it, another person has
        registered with your address: close this page.`,
      button: 'Confirm the address',
      done: { heading: 'Your address is confirmed', text: 'You can close this page.' },
      used: prose`If you have confirmed your address with it, you can close this page. If not, ask
        for a new mail in the app where you registered.`,
    },
    finish: {
      heading: 'Finish your registration',
      intro: prose`Enter the password that you chose when you registered. If you did not register,
        close this page: then no account is created.`,
      button: 'Create the account',
      done: { heading: 'Your account is ready', text: 'You can log in now.' },
      used: 'If you have created your account with it, log in. If not, register again.',
      wrongPassword: 'The password is wrong. If you do not know it any more, register again.',
      usernameTaken: 'This user name is not available any more. Choose another one.',
      emailTaken: 'There is an account with this address now. Log in, or request a new password.',
    },
    change: {
      heading: 'Confirm your new address',
      intro: prose`Enter the password of your account. If you did not change an address, close this
        page: then nothing changes.`,
      button: 'Confirm the address',
      done: { heading: 'Your address is changed', text: 'You can close this page.' },
      used: prose`If you have confirmed your address with it, you can close this page. If not,
        change the address in the app once more.`,
      refused: 'The password is wrong, or the address is not free any more.',
      factorMissing: prose`Your account has an authenticator app, whose codes this page cannot
        check. Enter the code from the mail where you changed the address.`,
      factorInLogin: prose`Your account has an authenticator app. [Confirm the address in your
        account.] If you must log in there first, open the link in the mail once more afterwards.`,
    },
    undo: {
      heading: 'Undo the change of your address',
      intro: prose`Your account will get its old address back. All devices will be logged out, and
        you will get a mail to set a new password. An authenticator app that was added since the
        change, or that is the first one of the account and less than a week old, will be removed.
        Recovery codes that were made in the week before the change or later will be removed too:
        then make new ones.`,
      button: 'Undo the change',
      done: { heading: 'Your old address is back', text: afterUndo },
      used: prose`If you have undone the change with it, look into your mailbox: there is a mail to
        set a new password. If not, contact the people who run the app.`,
    },
    undoFactor: {
      heading: 'Remove the authenticator app',
      intro: prose`The authenticator app will be removed from your account. All devices will be
        logged out, and you will get a mail to set a new password.`,
      button: 'Remove the app',
      done: { heading: 'The app is removed', text: afterUndo },
      used: prose`If you have used the link, or if the app was not yours, open the link of the
        newest mail about your account, or set a new password. If you added or removed the app
        yourself in your account, you do not have to do anything. If that does not help, contact the
        people who run this service.`,
    },
    accept: {
      heading: 'Create your account',
      intro: 'Choose the name and the password with which you will log in.',
      button: 'Create the account',
      done: { heading: 'Your account is ready', text: 'You can log in now.' },
      used: prose`If you have created your account with it, log in. If not, ask the person who
        invited you for a new invitation.`,
      taken: 'This user name or your address is already taken.',
    },
    register: {
      link: 'Create an account',
      heading: 'Create your account',
      haveOne: 'Already have one? [Log in]',
      emailHint: 'We will send a mail there to confirm it.',
      usernameTaken: 'This user name is taken. Choose another one.',
      emailTaken: 'There is an account with this address. Log in, or enter another address.',
      button: 'Create account',
      sent: {
        heading: 'Check your mail',
        intro: (
          address,
        ) => prose`A mail is on its way to ${address}, which says how to go on. If it has a code,
          you can enter the code here.`,
        linkUsed: 'If you have opened the link of the mail, [log in].',
        passwordHint: 'The one that you chose when you registered.',
        button: 'Continue',
        noMail: 'No mail?',
        advice: prose`Look in the spam folder, and wait two minutes. Then [register again]: your
          name and address are already filled in. If still no mail comes, your address may have got
          too many: try again in six hours.`,
      },
      ready: 'Your account is ready. For your safety, enter your password once more.',
    },
    acceptance: {
      both: 'I accept the [terms], and I have read the [privacy notice].',
      terms: 'I accept the [terms].',
      privacy: 'I have read the [privacy notice].',
      missing: 'Tick this box to create your account.',
    },
    loginPage: {
      heading: 'Log in',
      toAccount: 'to your account at',
      button: 'Log in',
      back: 'Back to log in',
      notYou: 'Not you?',
      ended: 'You were logged out here. Log in again.',
      wrong: 'The name or the password is wrong. Check both, and whether Caps Lock is on.',
      meanwhile: {
        byUsername: 'With your user name, it may work at once.',
        byEmail: 'With your e-mail address, it may work at once.',
        byMail: 'If you set a new password by mail in this browser, it works at once.',
      },
      wrongCode: 'This code is wrong or was used already. Wait for the next one.',
      wrongRecoveryCode: 'This recovery code is wrong, was used already, or is from an older list.',
      factor: {
        heading: 'Enter your code',
        intro: 'Open your authenticator app and enter its six digits.',
        label: 'Code from the app',
        button: 'Continue',
        other: 'Use a recovery code',
        remember: (days) =>
          `Do not ask for a code on this device for ${days === 1 ? 'a day' : `${days}\u00a0days`}`,
      },
      recovery: {
        heading: 'Enter a recovery code',
        intro: 'Each of the codes that you saved lets you log in once.',
        label: 'Recovery code',
        hint: '16 letters and digits.',
        button: 'Continue',
        other: 'Use the code of the app',
        meanwhile: 'A recovery code works at once.',
      },
      again: {
        heading: 'Is it you?',
        intro: 'To change your account, prove again that it is you.',
        account: 'Account: ',
        button: 'Continue',
      },
      mailbox: {
        heading: 'Check your mail',
        intro: prose`This account must get an authenticator app. First confirm that it is yours: a
          mail with a code is on its way to the address of the account.`,
      },
      enrol: {
        heading: 'Set up your authenticator app',
        intro: 'After this, you will log in with your password and a code from the app.',
        next: 'Continue',
        getApp: 'Install an authenticator app',
        anyApp: prose`An app on your phone that shows six-digit codes, for example Google
          Authenticator, Microsoft Authenticator or the app of your password manager.`,
        scan: 'Scan this picture with the app',
        open: 'Open the app on this device',
        orType: 'Or enter this key in the app:',
        enterCode: 'Enter the code that the app shows',
        wrongCode: prose`This code is wrong. Try the next one. If it is wrong too, add the account
          to the app once more, as above, and enter the code of the newest entry.`,
        button: 'Switch it on',
      },
      codes: {
        heading: 'Save your recovery codes',
        intro: prose`If you lose your phone, each of these codes lets you log in once. You see them
          only now.`,
        save: 'Save as a text file',
        keep: prose`Print this page, or keep the codes in your password manager. Do not keep them on
          your phone only.`,
        saved: 'I have saved the codes',
        once: 'Each code works once.',
        button: 'Continue',
      },
      expired: {
        heading: 'The login has expired',
        text: 'You have ten minutes to log in, in the same browser. Begin again.',
        button: 'Log in',
      },
      wrongCodes: {
        heading: 'Too many wrong codes',
        text: 'Log in once more.',
        newest: 'If your app has several entries with this name, take the newest one.',
      },
      cookiesOff: {
        heading: 'Your browser keeps no cookies',
        text: prose`A login needs a cookie of this site. Allow cookies, and then log in again. On
          this machine without TLS, Safari keeps none: use another browser.`,
      },
      elsewhere: {
        heading: 'The login needs another step',
        text: prose`Your account demands a second step that this page does not offer. Log in where
          you set up this step. If that is not possible, contact the people who run the app.`,
      },
      logout: {
        heading: 'Log out on this device?',
        intro: 'Your other devices will stay logged in.',
        button: 'Log out',
        again: 'Log in again',
        done: {
          heading: 'You are logged out',
          text: 'If you are logged in on other devices, you stay logged in there.',
        },
      },
    },
    accountHome: {
      heading: 'Your account',
      sections: 'Sections',
      logOut: 'Log out',
      back: 'Back to your account',
      change: 'Change',
      currentPassword: 'Current password',
      othersEnd: 'Your other devices will be logged out.',
      done: {
        profile: 'Your profile is saved.',
        email: 'Your e-mail address is changed.',
        verified: 'Your e-mail address is confirmed.',
        password: 'Your password is changed. Your other devices are logged out.',
        app: 'The authenticator app is set up. Your other devices are logged out.',
        appRemoved: 'The authenticator app is removed. Your other devices are logged out.',
        codes: 'You have new recovery codes. The old ones do not work any more.',
        device: 'The device is logged out.',
        devices: 'All other devices are logged out.',
      },
      profile: {
        title: 'Profile',
        hint: 'Your personal details.',
        button: 'Save',
      },
      email: {
        title: 'E-mail address',
        confirmed: 'Confirmed',
        unconfirmed: 'Not confirmed',
        none: 'None',
        heading: 'Change your address',
        intro: 'Mails about your account will go to this address.',
        label: 'New e-mail address',
        button: 'Change the address',
        invalid: 'This is not an e-mail address. It should look like ada@example.com.',
        taken: 'This address belongs to another account. Enter another one.',
        waits: 'Waits for confirmation',
        enterCode: 'Enter the code',
        another: 'Change to another address',
        confirms: (address) => prose`Your account will get the address ${address}. Mails about it
        will go there.`,
        wrongLink: 'This link was used, has expired, or is for another account.',
      },
      verification: {
        heading: 'Confirm your address',
        intro: (address) =>
          `We will send a new code to ${address}. Earlier codes will no longer work.`,
        send: 'Send a new code',
        sent: {
          heading: 'Check your mail',
          intro: (address) => prose`A mail is on its way to ${address}. Enter its code here. If no
            mail comes, look into the spam folder.`,
          button: 'Confirm the address',
        },
      },
      signIn: { title: 'Login methods', hint: 'How you log in.' },
      password: {
        heading: 'Change your password',
        intro: 'Your other devices will be logged out.',
        button: 'Change the password',
      },
      app: {
        title: 'Authenticator app',
        on: 'On',
        off: 'Not set up',
        setUp: 'Set up',
        replace: 'Replace',
        remove: 'Remove',
        since: (time) => `Since ${time}`,
        replaces: prose`The new app will replace the old one. You will get new recovery codes, and
          the old ones will no longer work.`,
        replacing: 'Replace your authenticator app',
        again: 'Begin again',
        otherPicture: prose`You have begun again on another page, so your earlier picture does not
          work any more. Scan the picture above, and enter the code of the newest entry.`,
        addressFirst: 'Confirm your e-mail address first. Then set up the app.',
        missing: {
          heading: 'There is no authenticator app',
          text: 'Your account has neither an authenticator app nor recovery codes.',
        },
        isSetUp: {
          heading: 'The app is set up',
          text: (time) => prose`Your account has an authenticator app since ${time}. Only the entry
            in the app whose code was accepted works: delete other entries of this name. If you have
            not saved the recovery codes, make new ones.`,
        },
        gone: 'This took too long, or the app was set up elsewhere. Begin again.',
        removal: {
          heading: 'Remove the authenticator app?',
          passwordOnly: 'You will log in with your password alone.',
          codesEnd: 'Your recovery codes will no longer work.',
          button: 'Remove the app',
          replace: 'New phone or app? Set it up instead',
          required: prose`Your account must have an authenticator app. If you have a new phone, set
            up the app there instead.`,
        },
      },
      codes: {
        title: 'Recovery codes',
        left: (count) => (count === 1 ? '1 code left' : `${count} codes left`),
        made: (time) => `Made on ${time}`,
        used: 'You logged in with a recovery code, which does not work any more.',
        lost: 'If you no longer have your authenticator app, [replace it].',
        unsaved: prose`You left the recovery codes without ticking that you saved them. If you have
        not, [make new codes].`,
        renew: 'Make new ones',
        heading: 'Make new recovery codes?',
        oldEnd: 'The old codes will no longer work.',
        button: 'Make new codes',
      },
      devices: {
        title: 'Devices',
        hint: prose`Where you are logged in. If you do not recognise a device, log it out and then
          change your password.`,
        name: (browser, system) => `${browser} on ${system}`,
        unknown: 'Unknown device',
        unknownBrowser: 'Unknown browser',
        thisDevice: 'This device',
        lastUsed: (time) => `Last used: ${time}`,
        end: 'Log out',
        endOthers: 'Log out on all other devices',
        heading: 'Log out on all other devices?',
        thisStays: 'This device will stay logged in.',
        button: 'Log out the others',
      },
      deletion: {
        title: 'Delete account',
        hint: 'This cannot be undone.',
        text: 'Your profile, your login methods and the list of your devices will be erased.',
        open: 'Delete my account …',
        heading: 'Delete your account?',
        loggedOut: 'You will be logged out everywhere at once.',
        erased: 'Your profile, your login methods and the list of your devices will be erased.',
        final: prose`This cannot be undone. Creating an account with this address again restores
          nothing, and your user name cannot be used again.`,
        button: 'Delete my account',
        keep: 'Keep my account',
        lastAdministrator: prose`You are the last administrator. Make another user an administrator
          first.`,
        done: {
          heading: 'Your account is deleted',
          text: 'You are logged out on all devices.',
        },
      },
    },
  },
}
