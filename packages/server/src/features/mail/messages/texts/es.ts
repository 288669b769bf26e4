import { prose } from '../prose.ts'
import type { Texts } from '../text-types.ts'

/** What both pages that undo a change say at the end. */
const afterUndo = prose`Su contraseña anterior ya no funciona. Un mensaje está en camino: elija una
  nueva con su enlace. Si no llega nada, solicite otro mensaje.`

export const es: Texts = {
  notices: {
    password_changed: ({ service, time, address }) => [
      `Se ha cambiado su contraseña en ${service}`,
      prose`La contraseña de su cuenta en ${service} se cambió el
        ${time}${address === undefined ? '' : ` desde la dirección IP ${address}`}.`,
      'Si ha sido usted, no tiene que hacer nada.',
      prose`Si no ha sido usted, otra persona tiene acceso a su cuenta. Póngase en contacto ahora
        con los responsables de ${service}.`,
    ],
    new_device: ({ service, time, address }) => [
      `Nuevo inicio de sesión en su cuenta en ${service}`,
      prose`El ${time} hubo un inicio de sesión en su cuenta en ${service} desde un dispositivo que
        no hemos reconocido${address === undefined ? '' : `, desde la dirección IP ${address}`}.
        Puede ser un dispositivo nuevo, o uno de los suyos después de una nueva contraseña.`,
      'Si ha sido usted, no tiene que hacer nada.',
      prose`Si no ha sido usted, cambie su contraseña ahora. Así se cierra la sesión en los demás
        dispositivos.`,
    ],
    account_disabled: ({ service, time }) => [
      `Su cuenta en ${service} ha sido desactivada`,
      `Su cuenta en ${service} se desactivó el ${time}. Ya no puede iniciar sesión.`,
      `Si tiene preguntas, póngase en contacto con los responsables de ${service}.`,
    ],
    account_deleted: ({ service, time }) => [
      `Su cuenta en ${service} ha sido eliminada`,
      `Su cuenta en ${service} se eliminó el ${time}. Ya no puede iniciar sesión.`,
      'Si usted lo sabe, no tiene que hacer nada.',
      `Si no, póngase en contacto ahora con los responsables de ${service}.`,
    ],
    already_registered: ({ service, time }) => [
      `Ya tiene una cuenta en ${service}`,
      prose`El ${time}, una persona quiso registrarse en ${service} con su dirección. Usted ya tiene
        una cuenta con ella, así que no se ha creado ninguna otra.`,
      'Si ha sido usted, inicie sesión con su contraseña. Si la ha olvidado, solicite una nueva.',
      'Si no ha sido usted, no tiene que hacer nada.',
    ],
    email_taken: ({ service, time }) => [
      `Su dirección ya se utiliza en ${service}`,
      prose`El ${time}, una persona quiso usar su dirección para otra cuenta en ${service}. Ya
        existe una cuenta con su dirección, así que no se ha cambiado nada.`,
      'Si ha sido usted, inicie sesión en la cuenta con esta dirección o elimínela primero.',
      'Si no ha sido usted, no tiene que hacer nada.',
    ],
    email_removed: ({ service, time }) => [
      `La cuenta en ${service} tiene ahora otra dirección`,
      prose`El ${time}, una cuenta en ${service} recibió otra dirección de correo. Hasta entonces
        tenía esta.`,
      'Si ha sido usted, o si la cuenta no es suya, no tiene que hacer nada.',
      prose`Si la cuenta es suya y no ha sido usted, póngase en contacto con los responsables de
        ${service}.`,
    ],
    factor_added: ({ service, time, address, isReplacement }) => [
      prose`Su cuenta en ${service} tiene ahora ${isReplacement ? 'otra' : 'una'} aplicación de
      autenticación`,
      prose`El ${time} ${
        isReplacement
          ? `se sustituyó la aplicación de autenticación de su cuenta en ${service} por otra`
          : `se añadió una aplicación de autenticación a su cuenta en ${service}`
      }${address === undefined ? '' : `, desde la dirección IP ${address}`}. A partir de
        ahora, cada inicio de sesión necesita un código de esta aplicación.`,
      'Si fue usted, no tiene que hacer nada.',
      prose`Si no fue usted, otra persona usa su cuenta. Póngase en contacto ahora con los
        responsables de ${service}.`,
    ],
    factor_removed: ({ service, time }) => [
      `Su cuenta en ${service} ya no tiene una aplicación de autenticación`,
      prose`El ${time} se eliminaron la aplicación de autenticación y los códigos de recuperación de
        su cuenta en ${service}.`,
      'Si usted lo sabe, no tiene que hacer nada.',
      `Si no, póngase en contacto ahora con los responsables de ${service}.`,
    ],
    recovery_codes_made: ({ service, time }) => [
      `Nuevos códigos de recuperación para su cuenta en ${service}`,
      prose`El ${time} se crearon nuevos códigos de recuperación para su cuenta en ${service}. Los
        anteriores ya no sirven.`,
      'Si fue usted, no tiene que hacer nada.',
      prose`Si no fue usted, otra persona usa su cuenta. Cambie ahora su contraseña: así se cierran
        todas las demás sesiones. Cree después nuevos códigos de recuperación: hasta entonces,
        sirven los códigos de la otra persona.`,
    ],
    recovery_code_used: ({ service, time, address }) => [
      `Se usó un código de recuperación de su cuenta en ${service}`,
      prose`El ${time} hubo un inicio de sesión en su cuenta en ${service} con uno de sus códigos de
        recuperación${address === undefined ? '' : `, desde la dirección IP ${address}`}.
        Este código ya no sirve.`,
      'Si fue usted, no tiene que hacer nada.',
      prose`Si no fue usted, otra persona conoce su contraseña o usa su cuenta, y tiene sus códigos
        de recuperación. Cambie ahora su contraseña: así se cierra la sesión en los demás
        dispositivos. Cree después nuevos códigos de recuperación.`,
    ],
    factor_guessed: ({ service, time, address }) => [
      `Se introdujo un código incorrecto para su cuenta en ${service}`,
      prose`El ${time} se introdujo en ${service} un código incorrecto de su aplicación de
        autenticación, después de su contraseña o en un dispositivo con la sesión abierta en su
        cuenta${address === undefined ? '' : `, desde la dirección IP ${address}`}.`,
      'Si fue usted, por ejemplo con un error al teclear, no tiene que hacer nada.',
      prose`Si no fue usted, otra persona conoce su contraseña o usa su cuenta. Cambie ahora su
        contraseña: así también se cierra la sesión en los demás dispositivos.`,
    ],
  },
  otherwise: 'Si el botón no funciona, abra esta dirección:',
  automatic:
    'Este mensaje se envió automáticamente. No tiene enlaces y no pide ninguna contraseña.',
  linkMails: {
    password_reset: (service) => ({
      subject: `Nueva contraseña para ${service}`,
      beforeLink: prose`Se ha solicitado una nueva contraseña para su cuenta en ${service}. Abra
        este enlace para elegirla:`,
      beforeCode: 'O introduzca este código donde solicitó la nueva contraseña:',
      ifNotYou: 'Si no la ha solicitado, ignore este mensaje: su contraseña no cambia.',
      withoutCode: {
        beforeLink: prose`Un cambio de su cuenta en ${service} se deshizo con el enlace de un
          mensaje. Su contraseña anterior ya no es válida. Abra este enlace para elegir una nueva:`,
        ifNotYou: 'Si usted no deshizo este cambio, es posible que otra persona lea sus mensajes.',
      },
    }),
    email_verification: (service) => ({
      subject: `Confirme su dirección para ${service}`,
      beforeLink: prose`Hay una cuenta en ${service} con esta dirección. Si es suya, abra este
        enlace e introduzca su contraseña para confirmar la dirección:`,
      beforeCode: 'O introduzca este código donde tiene la sesión iniciada:',
      ifNotYou:
        'Si la cuenta no es suya, otra persona ha indicado su dirección. Ignore este mensaje.',
    }),
    registration: (service) => ({
      subject: `Termine su registro en ${service}`,
      beforeLink: prose`Esta dirección se introdujo para registrarse en ${service}. Si fue usted,
        abra este enlace e introduzca la contraseña que eligió:`,
      beforeCode: 'O introduzca este código donde se registró:',
      ifNotYou: 'Si no fue usted, ignore este mensaje: no se creará ninguna cuenta.',
    }),
    email_change: (service) => ({
      subject: `Confirme su nueva dirección para ${service}`,
      beforeLink: prose`Esta dirección se ha indicado como nueva dirección de una cuenta en
        ${service}. Si la cuenta es suya, abra este enlace para confirmarla:`,
      beforeCode: 'O introduzca este código donde cambió la dirección:',
      ifNotYou: 'Si la cuenta no es suya, ignore este mensaje.',
    }),
    invitation: (service) => ({
      subject: `Su invitación a ${service}`,
      beforeLink: prose`Está invitado a crear una cuenta en ${service}. Abra este enlace para elegir
        un nombre y una contraseña:`,
      ifNotYou: 'Si no quiere una cuenta, ignore este mensaje.',
    }),
  },
  undoMails: {
    email_changed: ({ service, link, lifetime, until }) => [
      `Se ha cambiado la dirección de su cuenta en ${service}`,
      `Su cuenta en ${service} tiene ahora otra dirección de correo. Hasta ahora tenía esta.`,
      'Si ha sido usted, no tiene que hacer nada.',
      prose`Si no ha sido usted, otra persona tiene acceso a su cuenta. Abra este enlace para
        deshacer el cambio:`,
      { link },
      prose`Entonces se cierra la sesión en todos los dispositivos y recibe un mensaje para elegir
        una nueva contraseña. Se elimina una aplicación de autenticación si se añadió después del
        cambio, o si es la primera de la cuenta y tiene menos de una semana. También se eliminan los
        códigos de recuperación creados en la semana anterior al cambio o después: cree entonces
        otros nuevos. El enlace funciona una sola vez, durante ${lifetime} (hasta el ${until}). No
        lo comparta con nadie.`,
    ],
    first_factor_added: ({ service, link, lifetime, until }) => [
      `Su cuenta en ${service} tiene ahora una aplicación de autenticación`,
      prose`Se ha añadido una aplicación de autenticación a su cuenta en ${service}. A partir de
        ahora, cada inicio de sesión necesita esta aplicación.`,
      'Si ha sido usted, no tiene que hacer nada.',
      prose`Si no ha sido usted, otra persona usa su cuenta. Abra este enlace para retirar la
        aplicación:`,
      { link },
      prose`Entonces se cierra la sesión en todos los dispositivos y recibe un mensaje para elegir
        una nueva contraseña. El enlace funciona una sola vez, durante ${lifetime} (hasta el
        ${until}). No lo comparta con nadie.`,
    ],
  },
  enrolment_code: ({ service, code, lifetime, until }) => [
    `Su código para iniciar sesión en ${service}`,
    prose`Se está iniciando sesión en la cuenta con esta dirección en ${service}, con la contraseña
      correcta. La cuenta debe tener ahora una aplicación de autenticación. Para configurarla,
      introduzca este código donde inicia la sesión:`,
    { code },
    prose`El código funciona una sola vez, durante ${lifetime} (hasta el ${until}). No lo comparta
      con nadie.`,
    prose`Si no ha sido usted, otra persona conoce la contraseña de la cuenta. Elija ahora una
      nueva.`,
  ],
  both: {
    works: (lifetime, until) =>
      `El enlace y el código funcionan una sola vez, durante ${lifetime} (hasta el ${until}).`,
    keepSecret: 'No comparta el enlace ni el código con nadie.',
  },
  linkOnly: {
    works: (lifetime, until) =>
      `El enlace funciona una sola vez, durante ${lifetime} (hasta el ${until}).`,
    keepSecret: 'No comparta el enlace con nadie.',
  },
  pages: {
    layout: { terms: 'Condiciones', privacy: 'Privacidad', error: 'Error:' },
    login: 'Nombre de usuario o dirección de correo',
    password: 'Contraseña',
    newPassword: 'Nueva contraseña',
    newPasswordLength: (minLength) => `Al menos ${minLength} caracteres.`,
    newPasswordAdvice: 'Van bien varias palabras sin relación entre sí.',
    username: 'Nombre de usuario',
    usernameHint: prose`De 2 a 63 letras sin acentos, cifras, puntos, guiones bajos o guiones, sin
      espacios, y al principio una letra o una cifra.`,
    otherUsername: 'Otro nombre de usuario',
    code: 'Código del correo',
    codeHint: 'Ocho cifras.',
    yes: 'Sí',
    no: 'No',
    noToken: 'Este enlace no está completo. Abra el enlace entero del mensaje.',
    continueTo: 'Continuar a',
    usedLink: {
      heading: 'Este enlace ya no es válido',
      reason: 'El enlace de un mensaje sirve una sola vez y durante un tiempo limitado.',
    },
    unavailablePage: {
      heading: 'Ahora no es posible',
      opened: 'No es culpa suya. Vuelva a intentarlo dentro de un momento.',
      sent: 'No es culpa suya. Espere un momento, vuelva atrás y envíe el formulario otra vez.',
      again: 'Volver a intentarlo',
    },
    refusalPage: {
      refused: {
        heading: 'No ha funcionado',
        text: 'Abra la página otra vez y envíe el formulario desde ahí.',
      },
      broken: {
        heading: 'Algo ha salido mal',
        text: 'El problema es nuestro, no suyo. Vuelva a intentarlo más tarde.',
      },
      details: 'Para los responsables de la aplicación',
    },
    faults: {
      wrongPassword: 'La contraseña no es correcta.',
      wrongCode:
        'El código no es correcto, ya se usó o ha caducado. Use el del correo más reciente.',
      otherPassword: 'Elija otra contraseña.',
      input: 'Esto no es posible.',
      tooMany: (wait) => `Demasiados intentos. Vuelva a intentarlo dentro de ${wait}.`,
      unavailable: 'Ahora no es posible. Vuelva a intentarlo dentro de unos segundos.',
    },
    passwordFaults: {
      password_malformed: 'La contraseña contiene caracteres no válidos.',
      password_too_long: 'La contraseña es demasiado larga.',
      password_too_short: 'La contraseña es demasiado corta.',
      password_guessable: prose`La contraseña es demasiado fácil de adivinar.`,
      password_has_name:
        'La contraseña no debe contener su nombre, su dirección ni el nombre de este servicio.',
    },
    start: {
      heading: 'Inicie sesión en su aplicación',
      text: prose`Este servidor contiene las cuentas de una aplicación. Para iniciar sesión, abra la
        aplicación.`,
      own: 'Inicie sesión para ver y cambiar su cuenta.',
    },
    notFound: {
      heading: 'Aquí no hay ninguna página',
      text: 'Compruebe la dirección. Si viene de un mensaje, abra el enlace entero del mensaje.',
      toStart: 'Ir a la página de inicio',
    },
    forgot: {
      heading: '¿Ha olvidado su contraseña?',
      intro: prose`Le enviaremos un correo con un enlace y un código con los que podrá elegir una
        nueva contraseña.`,
      button: 'Enviar el correo',
    },
    sent: {
      heading: 'Revise su correo',
      intro: prose`Si existe una cuenta con este nombre o esta dirección, un correo está en camino.
        Abra su enlace, o introduzca aquí su código y una nueva contraseña.`,
      advice: prose`Busque un correo anterior, también en el correo no deseado: su enlace vale tres
        horas. Si no hay ninguno después de dos minutos, [solicite otro mensaje]. Revise lo que
        escribe, y pruebe también su nombre de usuario u otra dirección. Si tampoco llega
        nada, inténtelo dentro de seis horas.`,
    },
    reset: {
      heading: 'Elegir una nueva contraseña',
      button: 'Guardar la contraseña',
      done: {
        heading: 'Su contraseña se ha guardado',
        text: prose`Se ha cerrado la sesión en todos los dispositivos. Inicie sesión con la nueva
          contraseña.`,
      },
      codesAgain: prose`Si su cuenta tiene una aplicación de autenticación, cada dispositivo vuelve
        a pedir un código.`,
      used: prose`Si ha elegido su nueva contraseña con él, inicie sesión. Si no, solicite otro
        mensaje.`,
      noToken: prose`Este enlace no está completo. Abra el enlace entero del mensaje o solicite otro
        mensaje.`,
      again: 'Solicitar otro mensaje',
    },
    verify: {
      heading: 'Confirme su dirección',
      intro: prose`Introduzca la contraseña de su cuenta. Si no la conoce, otra persona se ha
        registrado con su dirección: cierre esta página.`,
      button: 'Confirmar la dirección',
      done: { heading: 'Su dirección está confirmada', text: 'Puede cerrar esta página.' },
      used: prose`Si ha confirmado su dirección con él, puede cerrar esta página. Si no, solicite
        otro mensaje en la aplicación donde se registró.`,
    },
    finish: {
      heading: 'Termine su registro',
      intro: prose`Introduzca la contraseña que eligió al registrarse. Si no se ha registrado,
        cierre esta página: no se creará ninguna cuenta.`,
      button: 'Crear la cuenta',
      done: { heading: 'Su cuenta está lista', text: 'Ya puede iniciar sesión.' },
      used: 'Si ha creado su cuenta con él, inicie sesión. Si no, regístrese de nuevo.',
      wrongPassword: 'La contraseña no es correcta. Si ya no la sabe, regístrese de nuevo.',
      usernameTaken: 'Este nombre de usuario ya no está disponible. Elija otro.',
      emailTaken:
        'Ya existe una cuenta con esta dirección. Inicie sesión o solicite una nueva contraseña.',
    },
    change: {
      heading: 'Confirmar su nueva dirección',
      intro: prose`Introduzca la contraseña de su cuenta. Si no ha cambiado ninguna dirección,
        cierre esta página: no cambiará nada.`,
      button: 'Confirmar la dirección',
      done: { heading: 'Su dirección se ha cambiado', text: 'Puede cerrar esta página.' },
      used: prose`Si ha confirmado su dirección con él, puede cerrar esta página. Si no, vuelva a
        cambiar la dirección en la aplicación.`,
      refused: 'La contraseña no es correcta, o la dirección ya no está disponible.',
      factorMissing: prose`Su cuenta tiene una aplicación de autenticación, cuyos códigos esta
        página no puede comprobar. Introduzca el código del correo donde cambió la dirección.`,
      factorInLogin: prose`Su cuenta tiene una aplicación de autenticación. [Confirme la dirección
        en su cuenta.] Si antes tiene que iniciar sesión, abra después otra vez el enlace del
        correo.`,
    },
    undo: {
      heading: 'Deshacer el cambio de su dirección',
      intro: prose`Su cuenta recuperará la dirección anterior. Se cerrará la sesión en todos los
        dispositivos y recibirá un mensaje para elegir una nueva contraseña. Se eliminará una
        aplicación de autenticación si se añadió después del cambio, o si es la primera de la cuenta
        y tiene menos de una semana. También se eliminarán los códigos de recuperación creados en la
        semana anterior al cambio o después: cree entonces otros nuevos.`,
      button: 'Deshacer el cambio',
      done: { heading: 'Su dirección anterior está restablecida', text: afterUndo },
      used: prose`Si ha deshecho el cambio con él, revise su correo: hay un mensaje para elegir una
        nueva contraseña. Si no, póngase en contacto con los responsables de la aplicación.`,
    },
    undoFactor: {
      heading: 'Retirar la aplicación de autenticación',
      intro: prose`La aplicación de autenticación se retirará de su cuenta. Se cerrará la sesión en
        todos los dispositivos y recibirá un mensaje para elegir una nueva contraseña.`,
      button: 'Retirar la aplicación',
      done: { heading: 'La aplicación está retirada', text: afterUndo },
      used: prose`Si ya ha usado el enlace, o si la aplicación no era suya, abra el enlace del
        mensaje más reciente sobre su cuenta, o elija una nueva contraseña. Si usted añadió o quitó
        la aplicación en su cuenta, no tiene que hacer nada. Si eso no ayuda, póngase en contacto
        con los responsables de este servicio.`,
    },
    accept: {
      heading: 'Crear su cuenta',
      intro: 'Elija el nombre y la contraseña con los que iniciará sesión.',
      button: 'Crear la cuenta',
      done: { heading: 'Su cuenta está lista', text: 'Ya puede iniciar sesión.' },
      used: prose`Si ha creado su cuenta con él, inicie sesión. Si no, pida una nueva invitación a
        la persona que le invitó.`,
      taken: 'Este nombre de usuario o su dirección ya está en uso.',
    },
    register: {
      link: 'Crear una cuenta',
      heading: 'Crear su cuenta',
      haveOne: '¿Ya tiene una? [Iniciar sesión]',
      emailHint: 'Le enviaremos un correo para confirmarla.',
      usernameTaken: 'Este nombre de usuario ya está en uso. Elija otro.',
      emailTaken:
        'Ya existe una cuenta con esta dirección. Inicie sesión o introduzca otra dirección.',
      button: 'Crear la cuenta',
      sent: {
        heading: 'Revise su correo',
        intro: (
          address,
        ) => prose`Un correo está en camino a ${address} y le dirá cómo seguir. Si tiene un código,
          puede introducirlo aquí.`,
        linkUsed: 'Si ha abierto el enlace del correo, [inicie sesión].',
        passwordHint: 'La que eligió al registrarse.',
        button: 'Continuar',
        noMail: '¿Ningún correo?',
        advice: prose`Mire en el correo no deseado y espere dos minutos. Después, [regístrese otra
          vez]: el nombre y la dirección ya están rellenados. Si tampoco llega nada, quizá su
          dirección ha recibido demasiados correos: inténtelo dentro de seis horas.`,
      },
      ready: 'Su cuenta está lista. Por su seguridad, introduzca una vez más su contraseña.',
    },
    acceptance: {
      both: 'Acepto las [condiciones] y he leído la [política de privacidad].',
      terms: 'Acepto las [condiciones].',
      privacy: 'He leído la [política de privacidad].',
      missing: 'Marque esta casilla para crear su cuenta.',
    },
    loginPage: {
      heading: 'Iniciar sesión',
      toAccount: 'en su cuenta de',
      button: 'Iniciar sesión',
      back: 'Volver al inicio de sesión',
      notYou: '¿No es usted?',
      ended: 'Su sesión se cerró aquí. Inicie sesión otra vez.',
      wrong: prose`El nombre o la contraseña no son correctos. Revise los dos, y si las mayúsculas
        están activadas.`,
      meanwhile: {
        byUsername: 'Con su nombre de usuario quizá funcione enseguida.',
        byEmail: 'Con su dirección de correo quizá funcione enseguida.',
        byMail: prose`Si elige una nueva contraseña por correo en este navegador, funciona
          enseguida.`,
      },
      wrongCode: 'Este código no es correcto o ya se usó. Espere el siguiente.',
      wrongRecoveryCode: prose`Este código de recuperación no es correcto, ya se usó o es de una
        lista anterior.`,
      factor: {
        heading: 'Introduzca su código',
        intro: 'Abra su aplicación de autenticación y introduzca los seis dígitos.',
        label: 'Código de la aplicación',
        button: 'Continuar',
        other: 'Usar un código de recuperación',
        remember: (days) =>
          days === 1
            ? 'No pedir un código en este dispositivo durante un día'
            : `No pedir un código en este dispositivo durante ${days}\u00a0días`,
      },
      recovery: {
        heading: 'Introduzca un código de recuperación',
        intro: 'Cada uno de los códigos que guardó sirve para iniciar sesión una vez.',
        label: 'Código de recuperación',
        hint: '16 letras y cifras.',
        button: 'Continuar',
        other: 'Usar el código de la aplicación',
        meanwhile: 'Un código de recuperación funciona enseguida.',
      },
      again: {
        heading: '¿Es usted?',
        intro: 'Para cambiar su cuenta, demuestre otra vez que es usted.',
        account: 'Cuenta: ',
        button: 'Continuar',
      },
      mailbox: {
        heading: 'Revise su correo',
        intro: prose`Esta cuenta debe tener una aplicación de autenticación. Primero confirme que es
          suya: un correo con un código está en camino a la dirección de la cuenta.`,
      },
      enrol: {
        heading: 'Configure su aplicación de autenticación',
        intro: 'Después iniciará sesión con su contraseña y un código de la aplicación.',
        next: 'Continuar',
        getApp: 'Instale una aplicación de autenticación',
        anyApp: prose`Una aplicación de su teléfono que muestra códigos de seis dígitos, por ejemplo
          Google Authenticator, Microsoft Authenticator o la de su gestor de contraseñas.`,
        scan: 'Escanee esta imagen con la aplicación',
        open: 'Abrir la aplicación en este dispositivo',
        orType: 'O introduzca esta clave en la aplicación:',
        enterCode: 'Introduzca el código que muestra la aplicación',
        wrongCode: prose`Este código no es correcto. Pruebe el siguiente. Si tampoco lo es, añada la
          cuenta a la aplicación otra vez, como arriba, e introduzca el código de la entrada más
          reciente.`,
        button: 'Activar',
      },
      codes: {
        heading: 'Guarde sus códigos de recuperación',
        intro: prose`Si pierde el teléfono, cada uno de estos códigos sirve para iniciar sesión una
          vez. Solo los ve ahora.`,
        save: 'Guardar como archivo de texto',
        keep: prose`Imprima esta página, o guarde los códigos en su gestor de contraseñas. No los
          guarde solo en el teléfono.`,
        saved: 'He guardado los códigos',
        once: 'Cada código sirve una vez.',
        button: 'Continuar',
      },
      expired: {
        heading: 'El inicio de sesión ha caducado',
        text: prose`Tiene diez minutos para iniciar sesión, en el mismo navegador. Empiece de
          nuevo.`,
        button: 'Iniciar sesión',
      },
      wrongCodes: {
        heading: 'Demasiados códigos incorrectos',
        text: 'Inicie sesión otra vez.',
        newest: 'Si su aplicación tiene varias entradas con este nombre, use la más reciente.',
      },
      cookiesOff: {
        heading: 'Su navegador no guarda cookies',
        text: prose`Un inicio de sesión necesita una cookie de este sitio. Permita las cookies y
          vuelva a iniciar sesión. En esta máquina sin TLS, Safari no guarda ninguna: use otro
          navegador.`,
      },
      elsewhere: {
        heading: 'El inicio de sesión necesita otro paso',
        text: prose`Su cuenta exige un segundo paso que esta página no ofrece. Inicie sesión donde
          configuró ese paso. Si no es posible, póngase en contacto con los responsables de la
          aplicación.`,
      },
      logout: {
        heading: '¿Cerrar sesión en este dispositivo?',
        intro: 'Sus otros dispositivos seguirán con la sesión abierta.',
        button: 'Cerrar sesión',
        again: 'Volver a iniciar sesión',
        done: {
          heading: 'Ha cerrado la sesión',
          text: 'Si tiene la sesión abierta en otros dispositivos, allí sigue abierta.',
        },
      },
    },
    accountHome: {
      heading: 'Su cuenta',
      sections: 'Secciones',
      logOut: 'Cerrar sesión',
      back: 'Volver a su cuenta',
      change: 'Cambiar',
      currentPassword: 'Contraseña actual',
      othersEnd: 'Se cerrará la sesión en sus otros dispositivos.',
      done: {
        profile: 'Su perfil está guardado.',
        email: 'Su dirección de correo ha cambiado.',
        verified: 'Su dirección de correo está confirmada.',
        password: 'Su contraseña ha cambiado. Se cerró la sesión en sus otros dispositivos.',
        app: prose`La aplicación de autenticación está configurada. Se cerró la sesión en sus otros
          dispositivos.`,
        appRemoved: prose`La aplicación de autenticación está quitada. Se cerró la sesión en sus
          otros dispositivos.`,
        codes: 'Tiene nuevos códigos de recuperación. Los antiguos ya no funcionan.',
        device: 'Se cerró la sesión en el dispositivo.',
        devices: 'Se cerró la sesión en todos los otros dispositivos.',
      },
      profile: {
        title: 'Perfil',
        hint: 'Sus datos personales.',
        button: 'Guardar',
      },
      email: {
        title: 'Dirección de correo',
        confirmed: 'Confirmada',
        unconfirmed: 'No confirmada',
        none: 'Ninguna',
        heading: 'Cambie su dirección',
        intro: 'Los correos sobre su cuenta se enviarán a esta dirección.',
        label: 'Nueva dirección de correo',
        button: 'Cambiar la dirección',
        invalid: 'Esto no es una dirección de correo. Debe parecerse a ada@example.com.',
        taken: 'Esta dirección es de otra cuenta. Introduzca otra.',
        waits: 'Pendiente de confirmar',
        enterCode: 'Introducir el código',
        another: 'Cambiar a otra dirección',
        confirms: (address) => prose`Su cuenta tendrá la dirección ${address}. Los mensajes sobre
        ella se enviarán allí.`,
        wrongLink: 'Este enlace ya se usó, ha caducado o es para otra cuenta.',
      },
      verification: {
        heading: 'Confirme su dirección',
        intro: (address) =>
          `Enviaremos un código nuevo a ${address}. Los anteriores dejarán de funcionar.`,
        send: 'Enviar un código nuevo',
        sent: {
          heading: 'Revise su correo',
          intro: (address) => prose`Un correo está en camino a ${address}. Introduzca aquí su
            código. Si no llega ninguno, mire también en el correo no deseado.`,
          button: 'Confirmar la dirección',
        },
      },
      signIn: { title: 'Inicio de sesión', hint: 'Cómo inicia sesión.' },
      password: {
        heading: 'Cambie su contraseña',
        intro: 'Se cerrará la sesión en sus otros dispositivos.',
        button: 'Cambiar la contraseña',
      },
      app: {
        title: 'Aplicación de autenticación',
        on: 'Activada',
        off: 'No configurada',
        setUp: 'Configurar',
        replace: 'Cambiar',
        remove: 'Quitar',
        since: (time) => `Desde el ${time}`,
        replaces: prose`La nueva aplicación reemplazará la anterior. Recibirá nuevos códigos de
          recuperación, y los anteriores dejarán de servir.`,
        replacing: 'Cambiar su aplicación de autenticación',
        again: 'Empezar de nuevo',
        otherPicture: prose`Ha empezado de nuevo en otra página, por eso la imagen anterior ya no
          vale. Escanee la imagen de arriba e introduzca el código de la entrada más reciente.`,
        addressFirst: 'Confirme primero su dirección de correo. Después configure la aplicación.',
        missing: {
          heading: 'No hay aplicación de autenticación',
          text: 'Su cuenta no tiene aplicación de autenticación ni códigos de recuperación.',
        },
        isSetUp: {
          heading: 'La aplicación está configurada',
          text: (
            time,
          ) => prose`Su cuenta tiene una aplicación de autenticación desde el ${time}. En la
            aplicación solo funciona la entrada cuyo código se aceptó: borre las demás entradas con
            este nombre. Si no ha guardado los códigos de recuperación, cree otros nuevos.`,
        },
        gone: 'Esto tardó demasiado, o la aplicación se configuró en otro lugar. Empiece de nuevo.',
        removal: {
          heading: '¿Quitar la aplicación de autenticación?',
          passwordOnly: 'Iniciará sesión solo con su contraseña.',
          codesEnd: 'Sus códigos de recuperación dejarán de servir.',
          button: 'Quitar la aplicación',
          replace: 'Cambiar de teléfono o de aplicación',
          required: prose`Su cuenta debe tener una aplicación de autenticación. Si tiene un teléfono
            nuevo, configure allí la aplicación.`,
        },
      },
      codes: {
        title: 'Códigos de recuperación',
        left: (count) => (count === 1 ? 'Queda 1' : `Quedan ${count}`),
        made: (time) => `Creados el ${time}`,
        used: 'Ha iniciado sesión con un código de recuperación, que ya no sirve.',
        lost: 'Si ya no tiene su aplicación de autenticación, [cámbiela].',
        unsaved: prose`Ha salido de la página de los códigos de recuperación sin confirmar que los
        ha guardado. Si no los tiene, [cree otros nuevos].`,
        renew: 'Crear otros',
        heading: '¿Crear nuevos códigos de recuperación?',
        oldEnd: 'Los códigos anteriores dejarán de servir.',
        button: 'Crear nuevos códigos',
      },
      devices: {
        title: 'Dispositivos',
        hint: prose`Dónde tiene la sesión abierta. ¿No conoce alguno? Cierre su sesión y después
          cambie la contraseña.`,
        name: (browser, system) => `${browser} en ${system}`,
        unknown: 'Dispositivo desconocido',
        unknownBrowser: 'Navegador desconocido',
        thisDevice: 'Este dispositivo',
        lastUsed: (time) => `Usado por última vez: ${time}`,
        end: 'Cerrar sesión',
        endOthers: 'Cerrar sesión en todos los otros dispositivos',
        heading: '¿Cerrar sesión en todos los otros dispositivos?',
        thisStays: 'Este dispositivo seguirá con la sesión abierta.',
        button: 'Cerrar las otras sesiones',
      },
      deletion: {
        title: 'Eliminar la cuenta',
        hint: 'Esto no se puede deshacer.',
        text: 'Se borrarán su perfil, sus formas de iniciar sesión y la lista de sus dispositivos.',
        open: 'Eliminar mi cuenta …',
        heading: '¿Eliminar su cuenta?',
        loggedOut: 'Se cerrará la sesión en todas partes enseguida.',
        erased:
          'Se borrarán su perfil, sus formas de iniciar sesión y la lista de sus dispositivos.',
        final: prose`Esto no se puede deshacer. Crear otra cuenta con esta dirección no restaura
          nada, y su nombre de usuario no podrá usarse de nuevo.`,
        button: 'Eliminar mi cuenta',
        keep: 'Conservar mi cuenta',
        lastAdministrator: prose`Usted es el último administrador. Primero haga administrador a otro
          usuario.`,
        done: {
          heading: 'Su cuenta está eliminada',
          text: 'Se cerró la sesión en todos los dispositivos.',
        },
      },
    },
  },
}
