import { Html } from './html.ts'

export type Icon =
  | ('link' | 'warning' | 'check' | 'mail' | 'sheet')
  | ('lock' | 'passkey' | 'app' | 'computer' | 'phone')

/** The shapes of the icons, in a square of 24. They are drawn as lines. */
const shapes: Readonly<Record<Icon, string>> = {
  passkey:
    '<circle cx="9.5" cy="7.5" r="4"/><path d="M2.5 20.5a7 7 0 0 1 10-6.3M17.5 17v5l1.5-1.5M17.5 ' +
    '19H19"/><circle cx="17.5" cy="14" r="3"/>',
  link:
    '<path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.4l-3 3' +
    'a4 4 0 0 0 5.7 5.7L12 17"/>',
  warning: '<path d="M12 3.5 21.5 20h-19L12 3.5ZM12 10v4.5M12 17.2v.1"/>',
  sheet: '<path d="M6 3.5h8.5L19 8v12.5H6zM14 3.5V8.5h5M9 13h7M9 16.5h7"/>',
  check: '<path d="m5 12.5 4.5 4.5L19 7.5"/>',
  mail: '<rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="m3.5 7.5 8.5 6 8.5-6"/>',
  computer: '<rect x="4" y="5" width="16" height="11" rx="2"/><path d="M2 19.5h20"/>',
  lock:
    '<rect x="5" y="10.5" width="14" height="10" rx="2.5"/>' +
    '<path d="M8.5 10.5V7.5a3.5 3.5 0 0 1 7 0v3"/>',
  app: '<rect x="6" y="2.5" width="12" height="19" rx="2.5"/><path d="M9.5 10h5M9.5 13.5h5"/>',
  phone: '<rect x="7" y="2.5" width="10" height="19" rx="2.5"/><path d="M11 18.5h2"/>',
}

/** Draws an icon. Screen readers ignore it, so a text must say the same. */
export function iconOf(name: Icon): Html {
  return new Html(`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${shapes[name]}</svg>`)
}
