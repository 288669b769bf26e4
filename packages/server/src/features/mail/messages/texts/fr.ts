import { prose } from '../prose.ts'
import type { Texts } from '../text-types.ts'

/** What both pages that undo a change say at the end. */
const afterUndo = prose`Votre ancien mot de passe ne fonctionne plus. Un e\u2011mail est en
  route\u00a0: choisissez un nouveau mot de passe avec son lien. Si rien n’arrive, demandez un
  nouvel e\u2011mail.`

export const fr: Texts = {
  notices: {
    password_changed: ({ service, time, address }) => [
      `Votre mot de passe sur ${service} a été modifié`,
      prose`Le mot de passe de votre compte sur ${service} a été modifié le
        ${time}${address === undefined ? '' : ` depuis l’adresse IP ${address}`}.`,
      'Si c’était vous, vous n’avez rien à faire.',
      prose`Si ce n’était pas vous, une autre personne a accès à votre compte. Contactez
        immédiatement l’exploitant de ${service}.`,
    ],
    new_device: ({ service, time, address }) => [
      `Nouvelle connexion à votre compte sur ${service}`,
      prose`Une connexion à votre compte sur ${service} a eu lieu le ${time} depuis un appareil que
        nous n’avons pas reconnu${address === undefined ? '' : `, depuis l’adresse IP ${address}`}.
        C’est peut-être un nouvel appareil, ou l’un des vôtres après un nouveau mot de passe.`,
      'Si c’était vous, vous n’avez rien à faire.',
      prose`Si ce n’était pas vous, changez votre mot de passe maintenant. Cela déconnecte tous les
        autres appareils.`,
    ],
    account_disabled: ({ service, time }) => [
      `Votre compte sur ${service} a été désactivé`,
      `Votre compte sur ${service} a été désactivé le ${time}. Vous ne pouvez plus vous connecter.`,
      `Pour toute question, contactez l’exploitant de ${service}.`,
    ],
    account_deleted: ({ service, time }) => [
      `Votre compte sur ${service} a été supprimé`,
      `Votre compte sur ${service} a été supprimé le ${time}. Vous ne pouvez plus vous connecter.`,
      'Si vous êtes au courant, vous n’avez rien à faire.',
      `Sinon, contactez tout de suite l’exploitant de ${service}.`,
    ],
    already_registered: ({ service, time }) => [
      `Vous avez déjà un compte sur ${service}`,
      prose`Le ${time}, une personne a voulu s’inscrire sur ${service} avec votre adresse. Vous avez
        déjà un compte avec cette adresse\u00a0: aucun autre n’a été créé.`,
      prose`Si c’était vous, connectez-vous avec votre mot de passe. Si vous l’avez oublié,
        demandez-en un nouveau.`,
      'Si ce n’était pas vous, vous n’avez rien à faire.',
    ],
    email_taken: ({ service, time }) => [
      `Votre adresse est déjà utilisée sur ${service}`,
      prose`Le ${time}, une personne a voulu utiliser votre adresse pour un autre compte sur
        ${service}. Un compte existe déjà avec votre adresse\u00a0: rien n’a été modifié.`,
      'Si c’était vous, connectez-vous au compte qui a cette adresse, ou supprimez-le d’abord.',
      'Si ce n’était pas vous, vous n’avez rien à faire.',
    ],
    email_removed: ({ service, time }) => [
      `Le compte sur ${service} a maintenant une autre adresse`,
      prose`Le ${time}, un compte sur ${service} a reçu une autre adresse e\u2011mail. Jusque-là, il
        avait celle-ci.`,
      'Si c’était vous, ou si ce compte n’est pas le vôtre, vous n’avez rien à faire.',
      `Si ce compte est le vôtre et que ce n’était pas vous, contactez l’exploitant de ${service}.`,
    ],
    factor_added: ({ service, time, address, isReplacement }) => [
      prose`Votre compte sur ${service} a maintenant une ${isReplacement ? 'autre ' : ''}application
      d’authentification`,
      prose`Le ${time}, ${
        isReplacement
          ? `l’application d’authentification de votre compte sur ${service} a été remplacée`
          : `une application d’authentification a été ajoutée à votre compte sur ${service}`
      }${address === undefined ? '' : `, depuis l’adresse IP ${address}`}. Désormais, une
        connexion demande un code de cette application.`,
      'Si c’était vous, vous n’avez rien à faire.',
      prose`Si ce n’était pas vous, une autre personne utilise votre compte. Contactez tout de suite
        l’exploitant de ${service}.`,
    ],
    factor_removed: ({ service, time }) => [
      `Votre compte sur ${service} n’a plus d’application d’authentification`,
      prose`Le ${time}, l’application d’authentification et les codes de récupération de votre
        compte sur ${service} ont été supprimés.`,
      'Si vous êtes au courant, vous n’avez rien à faire.',
      `Sinon, contactez tout de suite l’exploitant de ${service}.`,
    ],
    recovery_codes_made: ({ service, time }) => [
      `Nouveaux codes de récupération pour votre compte sur ${service}`,
      prose`Le ${time}, de nouveaux codes de récupération ont été créés pour votre compte sur
        ${service}. Les anciens ne fonctionnent plus.`,
      'Si c’était vous, vous n’avez rien à faire.',
      prose`Si ce n’était pas vous, une autre personne utilise votre compte. Changez maintenant
        votre mot de passe\u00a0: cela déconnecte tous les autres appareils. Créez ensuite de
        nouveaux codes de récupération\u00a0: jusque-là, les codes de l’autre personne
        fonctionnent.`,
    ],
    recovery_code_used: ({ service, time, address }) => [
      `Un code de récupération de votre compte sur ${service} a été utilisé`,
      prose`Le ${time}, une connexion à votre compte sur ${service} a eu lieu avec l’un de vos codes
        de récupération${address === undefined ? '' : `, depuis l’adresse IP ${address}`}. Ce code
        ne fonctionne plus.`,
      'Si c’était vous, vous n’avez rien à faire.',
      prose`Si ce n’était pas vous, une autre personne connaît votre mot de passe ou utilise votre
        compte, et a vos codes de récupération. Changez maintenant votre mot de passe\u00a0: cela
        déconnecte tous les autres appareils. Créez ensuite de nouveaux codes de récupération.`,
    ],
    factor_guessed: ({ service, time, address }) => [
      `Un code incorrect a été saisi pour votre compte sur ${service}`,
      prose`Le ${time}, un mauvais code de votre application d’authentification a été saisi sur
        ${service}, après votre mot de passe ou sur un appareil connecté à votre
        compte${address === undefined ? '' : `, depuis l’adresse IP ${address}`}.`,
      'Si c’était vous, par exemple avec une faute de frappe, vous n’avez rien à faire.',
      prose`Si ce n’était pas vous, une autre personne connaît votre mot de passe ou utilise votre
        compte. Changez maintenant votre mot de passe\u00a0: cela déconnecte aussi tous les autres
        appareils.`,
    ],
  },
  otherwise: 'Si le bouton ne fonctionne pas, ouvrez cette adresse\u00a0:',
  automatic: 'E-mail envoyé automatiquement, sans lien. Il ne demande aucun mot de passe.',
  linkMails: {
    password_reset: (service) => ({
      subject: `Nouveau mot de passe pour ${service}`,
      beforeLink: prose`Un nouveau mot de passe a été demandé pour votre compte sur ${service}.
        Ouvrez ce lien pour le choisir\u00a0:`,
      beforeCode: prose`Ou saisissez ce code sur la page où vous avez demandé le nouveau mot de
        passe\u00a0:`,
      ifNotYou: prose`Si vous n’êtes pas à l’origine de cette demande, ignorez cet
        e\u2011mail\u00a0: votre mot de passe reste inchangé.`,
      withoutCode: {
        beforeLink: prose`Une modification de votre compte sur ${service} a été annulée avec le lien
          d’un e\u2011mail. Votre ancien mot de passe n’est plus valable. Ouvrez ce lien pour en
          choisir un nouveau\u00a0:`,
        ifNotYou: prose`Si vous n’avez pas annulé cette modification, une autre personne lit
          peut-être vos e\u2011mails.`,
      },
    }),
    email_verification: (service) => ({
      subject: `Confirmez votre adresse pour ${service}`,
      beforeLink: prose`Un compte sur ${service} utilise cette adresse. Si c’est le vôtre, ouvrez ce
        lien et saisissez votre mot de passe pour confirmer l’adresse\u00a0:`,
      beforeCode: 'Ou saisissez ce code sur la page où vous êtes connecté\u00a0:',
      ifNotYou: prose`Si ce compte n’est pas le vôtre, une autre personne a indiqué votre adresse.
        Ignorez cet e\u2011mail.`,
    }),
    registration: (service) => ({
      subject: `Terminez votre inscription sur ${service}`,
      beforeLink: prose`Cette adresse a été saisie pour une inscription sur ${service}. Si c’était
        vous, ouvrez ce lien et saisissez le mot de passe que vous avez choisi\u00a0:`,
      beforeCode: 'Ou saisissez ce code sur la page où vous vous êtes inscrit\u00a0:',
      ifNotYou: 'Si ce n’était pas vous, ignorez cet e\u2011mail\u00a0: aucun compte ne sera créé.',
    }),
    email_change: (service) => ({
      subject: `Confirmez votre nouvelle adresse pour ${service}`,
      beforeLink: prose`Cette adresse a été indiquée comme nouvelle adresse d’un compte sur
        ${service}. Si ce compte est le vôtre, ouvrez ce lien pour la confirmer\u00a0:`,
      beforeCode: 'Ou saisissez ce code sur la page où vous avez modifié l’adresse\u00a0:',
      ifNotYou: 'Si ce compte n’est pas le vôtre, ignorez cet e\u2011mail.',
    }),
    invitation: (service) => ({
      subject: `Votre invitation sur ${service}`,
      beforeLink: prose`Vous êtes invité à créer un compte sur ${service}. Ouvrez ce lien pour
        choisir un nom et un mot de passe\u00a0:`,
      ifNotYou: 'Si vous ne souhaitez pas de compte, ignorez cet e\u2011mail.',
    }),
  },
  undoMails: {
    email_changed: ({ service, link, lifetime, until }) => [
      `L’adresse de votre compte sur ${service} a été modifiée`,
      prose`Votre compte sur ${service} a maintenant une autre adresse e\u2011mail. Jusqu’ici,
        c’était celle-ci.`,
      'Si c’était vous, vous n’avez rien à faire.',
      prose`Si ce n’était pas vous, une autre personne a accès à votre compte. Ouvrez ce lien pour
        annuler la modification\u00a0:`,
      { link },
      prose`Tous les appareils seront alors déconnectés, et vous recevrez un e\u2011mail pour
        choisir un nouveau mot de passe. Une application d’authentification sera supprimée si elle a
        été ajoutée depuis la modification, ou si c’est la première du compte et qu’elle a moins
        d’une semaine. Les codes de récupération créés dans la semaine avant la modification, ou
        plus tard, seront aussi supprimés\u00a0: créez-en alors de nouveaux. Le lien fonctionne une
        seule fois, pendant ${lifetime} (jusqu’au ${until}). Ne le communiquez à personne.`,
    ],
    first_factor_added: ({ service, link, lifetime, until }) => [
      `Votre compte sur ${service} a maintenant une application d’authentification`,
      prose`Une application d’authentification a été ajoutée à votre compte sur ${service}.
        Désormais, une connexion demande cette application.`,
      'Si c’était vous, vous n’avez rien à faire.',
      prose`Si ce n’était pas vous, une autre personne utilise votre compte. Ouvrez ce lien pour
        retirer l’application\u00a0:`,
      { link },
      prose`Tous les appareils seront alors déconnectés, et vous recevrez un e\u2011mail pour
        choisir un nouveau mot de passe. Le lien fonctionne une seule fois, pendant ${lifetime}
        (jusqu’au ${until}). Ne le communiquez à personne.`,
    ],
  },
  enrolment_code: ({ service, code, lifetime, until }) => [
    `Votre code pour la connexion à ${service}`,
    prose`Une connexion au compte lié à cette adresse sur ${service} est en cours, avec le bon mot
      de passe. Le compte doit maintenant avoir une application d’authentification. Pour la
      configurer, saisissez ce code sur la page de connexion\u00a0:`,
    { code },
    prose`Le code fonctionne une seule fois, pendant ${lifetime} (jusqu’au ${until}). Ne le
      communiquez à personne.`,
    prose`Si ce n’est pas vous, une autre personne connaît le mot de passe du compte. Choisissez-en
      un nouveau maintenant.`,
  ],
  both: {
    works: (lifetime, until) =>
      `Le lien et le code fonctionnent une seule fois, pendant ${lifetime} (jusqu’au ${until}).`,
    keepSecret: 'Ne communiquez le lien et le code à personne.',
  },
  linkOnly: {
    works: (lifetime, until) =>
      `Le lien fonctionne une seule fois, pendant ${lifetime} (jusqu’au ${until}).`,
    keepSecret: 'Ne communiquez le lien à personne.',
  },
  pages: {
    layout: {
      terms: 'Conditions d’utilisation',
      privacy: 'Confidentialité',
      error: 'Erreur\u00a0:',
    },
    login: 'Nom d’utilisateur ou adresse e\u2011mail',
    password: 'Mot de passe',
    newPassword: 'Nouveau mot de passe',
    newPasswordLength: (minLength) => `Au moins ${minLength} caractères.`,
    newPasswordAdvice: 'Plusieurs mots sans rapport entre eux conviennent bien.',
    username: 'Nom d’utilisateur',
    usernameHint: prose`De 2 à 63 lettres sans accent, chiffres, points, tirets bas ou traits
      d’union, sans espace, en commençant par une lettre ou un chiffre.`,
    otherUsername: 'Autre nom d’utilisateur',
    code: 'Code reçu par e\u2011mail',
    codeHint: 'Huit chiffres.',
    yes: 'Oui',
    no: 'Non',
    noToken: 'Ce lien est incomplet. Ouvrez le lien entier de l’e\u2011mail.',
    continueTo: 'Continuer vers',
    usedLink: {
      heading: 'Ce lien n’est plus valable',
      reason: 'Un lien reçu par e\u2011mail ne sert qu’une fois, et pendant un temps limité.',
    },
    unavailablePage: {
      heading: 'Ce n’est pas possible pour le moment',
      opened: 'Vous n’y êtes pour rien. Réessayez dans un instant.',
      sent: prose`Vous n’y êtes pour rien. Patientez un instant, puis revenez en arrière et renvoyez
        le formulaire.`,
      again: 'Réessayer',
    },
    refusalPage: {
      refused: {
        heading: 'Cela n’a pas fonctionné',
        text: 'Rouvrez la page, puis renvoyez le formulaire.',
      },
      broken: {
        heading: 'Une erreur s’est produite',
        text: 'Le problème vient de nous, pas de vous. Réessayez plus tard.',
      },
      details: 'Pour l’exploitant de l’application',
    },
    faults: {
      wrongPassword: 'Mot de passe incorrect.',
      wrongCode:
        'Code incorrect, déjà utilisé ou expiré. Saisissez celui de l’e\u2011mail le plus récent.',
      otherPassword: 'Choisissez un autre mot de passe.',
      input: 'Ce n’est pas possible.',
      tooMany: (wait) => `Trop de tentatives. Réessayez dans ${wait}.`,
      unavailable: 'Ce n’est pas possible pour le moment. Réessayez dans quelques secondes.',
    },
    passwordFaults: {
      password_malformed: 'Le mot de passe contient des caractères non valides.',
      password_too_long: 'Le mot de passe est trop long.',
      password_too_short: 'Le mot de passe est trop court.',
      password_guessable: 'Le mot de passe est trop facile à deviner.',
      password_has_name:
        'Le mot de passe ne doit pas contenir votre nom, votre adresse ou le nom de ce service.',
    },
    start: {
      heading: 'Connectez-vous dans votre application',
      text: prose`Ce serveur contient les comptes d’une application. Pour vous connecter, ouvrez
        l’application.`,
      own: 'Connectez-vous pour voir et modifier votre compte.',
    },
    notFound: {
      heading: 'Il n’y a pas de page ici',
      text: prose`Vérifiez l’adresse. Si vous venez d’un e\u2011mail, ouvrez le lien entier de
        l’e\u2011mail.`,
      toStart: 'Aller à la page d’accueil',
    },
    forgot: {
      heading: 'Mot de passe oublié\u00a0?',
      intro: prose`Nous vous enverrons un e\u2011mail avec un lien et un code, qui permettent de
        choisir un nouveau mot de passe.`,
      button: 'Envoyer l’e\u2011mail',
    },
    sent: {
      heading: 'Consultez votre messagerie',
      intro: prose`S’il existe un compte avec ce nom ou cette adresse, un e\u2011mail est en route.
        Ouvrez son lien, ou saisissez ici son code et un nouveau mot de passe.`,
      advice: prose`Cherchez un e\u2011mail plus ancien, aussi dans les indésirables\u00a0: son lien
        est valable trois heures. S’il n’y en a pas après deux minutes, [demandez un nouvel
        e\u2011mail]. Vérifiez votre saisie, et essayez aussi votre nom d’utilisateur ou une autre
        adresse. Si rien n’arrive, réessayez dans six heures.`,
    },
    reset: {
      heading: 'Choisir un nouveau mot de passe',
      button: 'Enregistrer le mot de passe',
      done: {
        heading: 'Votre mot de passe est enregistré',
        text: prose`Tous vos appareils ont été déconnectés. Connectez-vous avec le nouveau mot de
          passe.`,
      },
      codesAgain: prose`Si votre compte a une application d’authentification, chaque appareil
        demande de nouveau un code.`,
      used: prose`Si vous avez choisi votre nouveau mot de passe avec ce lien, connectez-vous.
        Sinon, demandez un nouvel e\u2011mail.`,
      noToken: prose`Ce lien est incomplet. Ouvrez le lien entier de l’e\u2011mail, ou demandez un
        nouvel e\u2011mail.`,
      again: 'Demander un nouvel e\u2011mail',
    },
    verify: {
      heading: 'Confirmez votre adresse',
      intro: prose`Saisissez le mot de passe de votre compte. Si vous ne le connaissez pas, une
        autre personne s’est inscrite avec votre adresse\u00a0: fermez cette page.`,
      button: 'Confirmer l’adresse',
      done: { heading: 'Votre adresse est confirmée', text: 'Vous pouvez fermer cette page.' },
      used: prose`Si vous avez confirmé votre adresse avec ce lien, vous pouvez fermer cette page.
        Sinon, demandez un nouvel e\u2011mail dans l’application où vous vous êtes inscrit.`,
    },
    finish: {
      heading: 'Terminez votre inscription',
      intro: prose`Saisissez le mot de passe que vous avez choisi lors de l’inscription. Si vous ne
        vous êtes pas inscrit, fermez cette page\u00a0: aucun compte ne sera créé.`,
      button: 'Créer le compte',
      done: { heading: 'Votre compte est prêt', text: 'Vous pouvez maintenant vous connecter.' },
      used: prose`Si vous avez créé votre compte avec ce lien, connectez-vous. Sinon, inscrivez-vous
        de nouveau.`,
      wrongPassword: prose`Mot de passe incorrect. Si vous ne le connaissez plus, inscrivez-vous de
        nouveau.`,
      usernameTaken: 'Ce nom d’utilisateur n’est plus disponible. Choisissez-en un autre.',
      emailTaken: prose`Il existe désormais un compte avec cette adresse. Connectez-vous, ou
        demandez un nouveau mot de passe.`,
    },
    change: {
      heading: 'Confirmer votre nouvelle adresse',
      intro: prose`Saisissez le mot de passe de votre compte. Si vous n’avez pas modifié d’adresse,
        fermez cette page\u00a0: rien ne changera.`,
      button: 'Confirmer l’adresse',
      done: { heading: 'Votre adresse a été modifiée', text: 'Vous pouvez fermer cette page.' },
      used: prose`Si vous avez confirmé votre adresse avec ce lien, vous pouvez fermer cette page.
        Sinon, modifiez de nouveau l’adresse dans l’application.`,
      refused: 'Mot de passe incorrect, ou adresse qui n’est plus disponible.',
      factorMissing: prose`Votre compte a une application d’authentification, dont cette page ne
        peut pas vérifier les codes. Saisissez le code de l’e\u2011mail sur la page où vous avez
        modifié l’adresse.`,
      factorInLogin: prose`Votre compte a une application d’authentification. [Confirmez l’adresse
        dans votre compte.] Si vous devez d’abord vous y connecter, ouvrez ensuite de nouveau le
        lien de l’e\u2011mail.`,
    },
    undo: {
      heading: 'Annuler la modification de votre adresse',
      intro: prose`Votre compte retrouvera son ancienne adresse. Tous les appareils seront
        déconnectés, et vous recevrez un e\u2011mail pour choisir un nouveau mot de passe. Une
        application d’authentification sera supprimée si elle a été ajoutée depuis la modification,
        ou si c’est la première du compte et qu’elle a moins d’une semaine. Les codes de
        récupération créés dans la semaine avant la modification, ou plus tard, seront aussi
        supprimés\u00a0: créez-en alors de nouveaux.`,
      button: 'Annuler la modification',
      done: { heading: 'Votre ancienne adresse est rétablie', text: afterUndo },
      used: prose`Si vous avez annulé la modification avec ce lien, consultez votre
        messagerie\u00a0: un e\u2011mail vous permet de choisir un nouveau mot de passe. Sinon,
        contactez l’exploitant de l’application.`,
    },
    undoFactor: {
      heading: 'Retirer l’application d’authentification',
      intro: prose`L’application d’authentification sera retirée de votre compte. Tous les appareils
        seront déconnectés, et vous recevrez un e\u2011mail pour choisir un nouveau mot de passe.`,
      button: 'Retirer l’application',
      done: { heading: 'L’application a été retirée', text: afterUndo },
      used: prose`Si vous avez déjà utilisé le lien, ou si l’application n’était pas la vôtre,
        ouvrez le lien de l’e\u2011mail le plus récent sur votre compte, ou choisissez un nouveau
        mot de passe. Si vous avez vous-même ajouté ou retiré l’application dans votre compte, vous
        n’avez rien à faire. Si cela ne suffit pas, contactez l’exploitant de ce service.`,
    },
    accept: {
      heading: 'Créer votre compte',
      intro: 'Choisissez le nom et le mot de passe avec lesquels vous vous connecterez.',
      button: 'Créer le compte',
      done: { heading: 'Votre compte est prêt', text: 'Vous pouvez maintenant vous connecter.' },
      used: prose`Si vous avez créé votre compte avec ce lien, connectez-vous. Sinon, demandez une
        nouvelle invitation à la personne qui vous a invité.`,
      taken: 'Ce nom d’utilisateur ou votre adresse est déjà pris.',
    },
    register: {
      link: 'Créer un compte',
      heading: 'Créer votre compte',
      haveOne: 'Vous en avez déjà un\u00a0? [Se connecter]',
      emailHint: 'Nous y enverrons un e\u2011mail pour la confirmer.',
      usernameTaken: 'Ce nom d’utilisateur est déjà pris. Choisissez-en un autre.',
      emailTaken: prose`Il existe un compte avec cette adresse. Connectez-vous, ou saisissez une
        autre adresse.`,
      button: 'Créer le compte',
      sent: {
        heading: 'Consultez votre messagerie',
        intro: (
          address,
        ) => prose`Un e\u2011mail est en route vers ${address} et vous dira comment continuer. S’il
          contient un code, vous pouvez le saisir ici.`,
        linkUsed: 'Si vous avez ouvert le lien de l’e\u2011mail, [connectez-vous].',
        passwordHint: 'Celui que vous avez choisi lors de l’inscription.',
        button: 'Continuer',
        noMail: 'Pas d’e\u2011mail\u00a0?',
        advice: prose`Cherchez dans les indésirables, et attendez deux minutes. Puis [inscrivez-vous
          de nouveau]\u00a0: le nom et l’adresse sont déjà remplis. Si rien n’arrive, votre adresse
          a peut-être reçu trop d’e\u2011mails\u00a0: réessayez dans six heures.`,
      },
      ready:
        'Votre compte est prêt. Pour votre sécurité, saisissez encore une fois votre mot de passe.',
    },
    acceptance: {
      both: prose`J’accepte les [conditions d’utilisation] et j’ai lu la [politique de
        confidentialité].`,
      terms: 'J’accepte les [conditions d’utilisation].',
      privacy: 'J’ai lu la [politique de confidentialité].',
      missing: 'Cochez cette case pour créer votre compte.',
    },
    loginPage: {
      heading: 'Se connecter',
      toAccount: 'à votre compte sur',
      button: 'Se connecter',
      back: 'Retour à la connexion',
      notYou: 'Ce n’est pas vous\u00a0?',
      ended: 'Vous avez été déconnecté ici. Reconnectez-vous.',
      wrong: 'Nom d’utilisateur ou mot de passe incorrect. Vérifiez aussi les majuscules.',
      meanwhile: {
        byUsername: 'Avec votre nom d’utilisateur, cela peut fonctionner tout de suite.',
        byEmail: 'Avec votre adresse e\u2011mail, cela peut fonctionner tout de suite.',
        byMail: prose`Si vous choisissez un nouveau mot de passe par e\u2011mail dans ce
          navigateur, cela fonctionne tout de suite.`,
      },
      wrongCode: 'Code incorrect ou déjà utilisé. Attendez le suivant.',
      wrongRecoveryCode:
        'Code de récupération incorrect, déjà utilisé ou d’une liste plus ancienne.',
      factor: {
        heading: 'Saisissez votre code',
        intro: 'Ouvrez votre application d’authentification et saisissez ses six chiffres.',
        label: 'Code de l’application',
        button: 'Continuer',
        other: 'Utiliser un code de récupération',
        remember: (days) =>
          days === 1
            ? 'Ne pas demander de code sur cet appareil pendant un jour'
            : `Ne pas demander de code sur cet appareil pendant ${days}\u00a0jours`,
      },
      recovery: {
        heading: 'Saisissez un code de récupération',
        intro: 'Chacun des codes que vous avez conservés permet une connexion.',
        label: 'Code de récupération',
        hint: '16 lettres et chiffres.',
        button: 'Continuer',
        other: 'Utiliser le code de l’application',
        meanwhile: 'Un code de récupération fonctionne tout de suite.',
      },
      again: {
        heading: 'Est-ce bien vous\u00a0?',
        intro: 'Pour modifier votre compte, confirmez de nouveau que c’est bien vous.',
        account: 'Compte\u00a0: ',
        button: 'Continuer',
      },
      mailbox: {
        heading: 'Consultez votre messagerie',
        intro: prose`Ce compte doit avoir une application d’authentification. Confirmez d’abord que
          ce compte est bien le vôtre\u00a0: un e\u2011mail avec un code est en route vers son
          adresse.`,
      },
      enrol: {
        heading: 'Configurez votre application d’authentification',
        intro: prose`Ensuite, vous vous connecterez avec votre mot de passe et un code de
          l’application.`,
        next: 'Continuer',
        getApp: 'Installez une application d’authentification',
        anyApp: prose`Une application de votre téléphone qui affiche des codes à six chiffres, par
          exemple Google Authenticator, Microsoft Authenticator ou votre gestionnaire de mots de
          passe.`,
        scan: 'Scannez cette image avec l’application',
        open: 'Ouvrir l’application sur cet appareil',
        orType: 'Ou saisissez cette clé dans l’application\u00a0:',
        enterCode: 'Saisissez le code affiché par l’application',
        wrongCode: prose`Code incorrect. Essayez le suivant. S’il est refusé aussi, ajoutez de
          nouveau le compte à l’application, comme ci-dessus, et saisissez le code de l’entrée la
          plus récente.`,
        button: 'Activer',
      },
      codes: {
        heading: 'Conservez vos codes de récupération',
        intro: prose`Si vous perdez votre téléphone, chacun de ces codes permet une connexion. Ils
          ne seront plus affichés ensuite.`,
        save: 'Télécharger (fichier texte)',
        keep: prose`Imprimez cette page, ou conservez les codes dans votre gestionnaire de mots de
          passe. Ne les conservez pas uniquement sur votre téléphone.`,
        saved: 'J’ai conservé mes codes',
        once: 'Chaque code ne fonctionne qu’une fois.',
        button: 'Continuer',
      },
      expired: {
        heading: 'La connexion a expiré',
        text: prose`Vous avez dix minutes pour vous connecter, dans le même navigateur.
          Recommencez.`,
        button: 'Se connecter',
      },
      wrongCodes: {
        heading: 'Trop de codes incorrects',
        text: 'Connectez-vous de nouveau.',
        newest: 'Si votre application a plusieurs entrées de ce nom, prenez la plus récente.',
      },
      cookiesOff: {
        heading: 'Votre navigateur ne garde pas de cookies',
        text: prose`Une connexion a besoin d’un cookie de ce site. Autorisez les cookies, puis
          connectez-vous de nouveau. Sur cette machine sans TLS, Safari n’en garde aucun\u00a0:
          prenez un autre navigateur.`,
      },
      elsewhere: {
        heading: 'La connexion demande une autre étape',
        text: prose`Votre compte exige une deuxième étape que cette page ne propose pas.
          Connectez-vous là où vous avez configuré cette étape. Si ce n’est pas possible, contactez
          l’exploitant de l’application.`,
      },
      logout: {
        heading: 'Se déconnecter sur cet appareil\u00a0?',
        intro: 'Vos autres appareils resteront connectés.',
        button: 'Se déconnecter',
        again: 'Se connecter de nouveau',
        done: {
          heading: 'Déconnexion réussie',
          text: 'Si vous êtes connecté sur d’autres appareils, vous le restez.',
        },
      },
    },
    accountHome: {
      heading: 'Votre compte',
      sections: 'Sections',
      logOut: 'Se déconnecter',
      back: 'Retour à votre compte',
      change: 'Modifier',
      currentPassword: 'Mot de passe actuel',
      othersEnd: 'Vos autres appareils seront déconnectés.',
      done: {
        profile: 'Votre profil est enregistré.',
        email: 'Votre adresse e\u2011mail a été modifiée.',
        verified: 'Votre adresse e\u2011mail a été confirmée.',
        password: 'Votre mot de passe a été modifié. Vos autres appareils ont été déconnectés.',
        app: prose`L’application d’authentification a été configurée. Vos autres appareils ont été
          déconnectés.`,
        appRemoved: prose`L’application d’authentification a été retirée. Vos autres appareils ont
          été déconnectés.`,
        codes: 'Vous avez de nouveaux codes de récupération. Les anciens ne fonctionnent plus.',
        device: 'L’appareil a été déconnecté.',
        devices: 'Tous les autres appareils ont été déconnectés.',
      },
      profile: {
        title: 'Profil',
        hint: 'Vos informations personnelles.',
        button: 'Enregistrer',
      },
      email: {
        title: 'Adresse e\u2011mail',
        confirmed: 'Confirmée',
        unconfirmed: 'Non confirmée',
        none: 'Aucune',
        heading: 'Modifiez votre adresse',
        intro: 'Les e\u2011mails concernant votre compte seront envoyés à cette adresse.',
        label: 'Nouvelle adresse e\u2011mail',
        button: 'Modifier l’adresse',
        invalid: 'Ce n’est pas une adresse e\u2011mail. Elle devrait ressembler à ada@example.com.',
        taken: 'Cette adresse est celle d’un autre compte. Saisissez-en une autre.',
        waits: 'En attente de confirmation',
        enterCode: 'Saisir le code',
        another: 'Choisir une autre adresse',
        confirms: (address) => prose`Votre compte aura l’adresse ${address}. Les e\u2011mails qui le
        concernent y seront envoyés.`,
        wrongLink: 'Ce lien a déjà servi, a expiré ou concerne un autre compte.',
      },
      verification: {
        heading: 'Confirmez votre adresse',
        intro: (
          address,
        ) => prose`Nous enverrons un nouveau code à ${address}. Les codes précédents ne
          fonctionneront plus.`,
        send: 'Envoyer un nouveau code',
        sent: {
          heading: 'Consultez votre messagerie',
          intro: (
            address,
          ) => prose`Un e\u2011mail est en route vers ${address}. Saisissez son code ici.
            Si aucun n’arrive, cherchez aussi dans les indésirables.`,
          button: 'Confirmer l’adresse',
        },
      },
      signIn: { title: 'Connexion', hint: 'Vos moyens de connexion.' },
      password: {
        heading: 'Modifiez votre mot de passe',
        intro: 'Vos autres appareils seront déconnectés.',
        button: 'Modifier le mot de passe',
      },
      app: {
        title: 'Application d’authentification',
        on: 'Activée',
        off: 'Non configurée',
        setUp: 'Configurer',
        replace: 'Remplacer',
        remove: 'Retirer',
        since: (time) => `Depuis le ${time}`,
        replaces: prose`La nouvelle application remplacera l’ancienne. Vous recevrez de nouveaux
          codes de récupération, et les anciens ne fonctionneront plus.`,
        replacing: 'Remplacer votre application d’authentification',
        again: 'Recommencer',
        otherPicture: prose`Vous avez recommencé sur une autre page\u00a0: l’image précédente n’est
          plus valable. Scannez l’image ci-dessus et saisissez le code de l’entrée la plus
          récente.`,
        addressFirst:
          'Confirmez d’abord votre adresse e\u2011mail. Configurez ensuite l’application.',
        missing: {
          heading: 'Il n’y a pas d’application d’authentification',
          text: 'Votre compte n’a ni application d’authentification ni codes de récupération.',
        },
        isSetUp: {
          heading: 'L’application est configurée',
          text: (
            time,
          ) => prose`Votre compte a une application d’authentification depuis le ${time}. Dans
            l’application, seule l’entrée dont le code a été accepté fonctionne\u00a0: supprimez les
            autres entrées de ce nom. Si vous n’avez pas conservé ses codes de récupération,
            créez-en de nouveaux.`,
        },
        gone: 'Cela a pris trop de temps, ou l’application a été configurée ailleurs. Recommencez.',
        removal: {
          heading: 'Retirer l’application d’authentification\u00a0?',
          passwordOnly: 'Vous vous connecterez avec votre mot de passe seul.',
          codesEnd: 'Vos codes de récupération ne fonctionneront plus.',
          button: 'Retirer l’application',
          replace: 'Changer de téléphone ou d’application',
          required: prose`Votre compte doit avoir une application d’authentification. Si vous avez
            un nouveau téléphone, configurez-y plutôt l’application.`,
        },
      },
      codes: {
        title: 'Codes de récupération',
        left: (count) => (count === 1 ? 'Il en reste 1' : `Il en reste ${count}`),
        made: (time) => `Créés le ${time}`,
        used: 'Vous vous êtes connecté avec un code de récupération, qui ne fonctionne plus.',
        lost: 'Si vous n’avez plus votre application d’authentification, [remplacez-la].',
        unsaved: prose`Vous avez quitté la page des codes de récupération sans confirmer que vous
        les avez conservés. Si vous ne les avez pas, [créez-en de nouveaux].`,
        renew: 'En créer de nouveaux',
        heading: 'Créer de nouveaux codes de récupération\u00a0?',
        oldEnd: 'Les anciens codes ne fonctionneront plus.',
        button: 'Créer de nouveaux codes',
      },
      devices: {
        title: 'Appareils',
        hint: prose`Où vous êtes connecté. Vous ne reconnaissez pas un appareil\u00a0?
          Déconnectez-le, puis modifiez votre mot de passe.`,
        name: (browser, system) => `${browser} sur ${system}`,
        unknown: 'Appareil inconnu',
        unknownBrowser: 'Navigateur inconnu',
        thisDevice: 'Cet appareil',
        lastUsed: (time) => `Dernière utilisation\u00a0: ${time}`,
        end: 'Déconnecter',
        endOthers: 'Déconnecter tous les autres appareils',
        heading: 'Déconnecter tous les autres appareils\u00a0?',
        thisStays: 'Cet appareil restera connecté.',
        button: 'Déconnecter les autres',
      },
      deletion: {
        title: 'Supprimer le compte',
        hint: 'C’est définitif.',
        text: 'Votre profil, vos moyens de connexion et la liste de vos appareils seront effacés.',
        open: 'Supprimer mon compte …',
        heading: 'Supprimer votre compte\u00a0?',
        loggedOut: 'Tous vos appareils seront déconnectés.',
        erased:
          'Votre profil, vos moyens de connexion et la liste de vos appareils seront effacés.',
        final: prose`C’est définitif. Recréer un compte avec cette adresse ne restaurera rien, et
          votre nom d’utilisateur ne pourra plus être utilisé.`,
        button: 'Supprimer mon compte',
        keep: 'Conserver mon compte',
        lastAdministrator: prose`Vous êtes le dernier administrateur. Donnez d’abord ce rôle à un
          autre utilisateur.`,
        done: {
          heading: 'Votre compte a été supprimé',
          text: 'Tous vos appareils ont été déconnectés.',
        },
      },
    },
  },
}
