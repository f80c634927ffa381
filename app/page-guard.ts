/**
 * The first script of the page. [Note: the window has no network] WebRTC resolves names and asks the local network for them
 * (mDNS) whatever its policy and proxy, and Chromium has no switch for it. The page therefore has no WebRTC, and cannot create
 * another realm that has it: no frame, no plug-in element, no window, no transformation that would create one, and no text that can be
 * edited outside of fields, since markup that the user pastes or drops there may hold a frame.
 *
 * Nor does it have `close`: each call could ask the user again whether to quit and lose what is not saved.
 *
 * It runs before any other script of the page and can't be undone: replaced properties are not configurable, and what the replacements
 * call is either fixed as well or syntax, never a global that a script could replace. A name is turned into text once. It is part of the
 * main process's bundle, so that it does not depend on the build of the page.
 */
export const GUARD_PATH = '/guard.js';

/** Classic script, served under GUARD_PATH. */
export const GUARD = `'use strict';
(() => {
  const fix = (object, name, value) =>
    Object.defineProperty(object, name, { value, writable: false, enumerable: false, configurable: false });
  for (const name of Object.getOwnPropertyNames(window)) {
    if (/^(?:webkit)?RTC|^XSLTProcessor$|^documentPictureInPicture$|^DocumentPictureInPicture$/.test(name)) {
      delete window[name];
      fix(window, name, undefined);
    }
  }
  fix(window, 'close', undefined);
  const realms = /^(?:iframe|frame|frameset|object|embed|portal|fencedframe)$/i;
  const apply = Reflect.apply;
  const test = RegExp.prototype.test;
  const isRealm = (name) => apply(test, realms, [name]);
  const refuse = () => {
    throw new DOMException('This page has no frames.', 'NotSupportedError');
  };
  const { createElement, createElementNS } = Document.prototype;
  fix(Document.prototype, 'createElement', function (name, options) {
    const text = \`\${name}\`;
    return isRealm(text) ? refuse() : apply(createElement, this, options === undefined ? [text] : [text, options]);
  });
  fix(Document.prototype, 'createElementNS', function (space, name, options) {
    const text = \`\${name}\`;
    const local = text.slice(text.lastIndexOf(':') + 1);
    if (isRealm(local)) refuse();
    return apply(createElementNS, this, options === undefined ? [space, text] : [space, text, options]);
  });
  fix(CustomElementRegistry.prototype, 'define', refuse);
  const getter = (holder, name) => Object.getOwnPropertyDescriptor(holder.prototype, name).get;
  const targetOf = getter(Event, 'target');
  const fields = [getter(HTMLInputElement, 'value'), getter(HTMLTextAreaElement, 'value')];
  const { preventDefault } = Event.prototype;
  const isA = (kind, target) => {
    try {
      apply(fields[kind], target, []);
      return true;
    } catch {
      return false;
    }
  };
  addEventListener(
    'beforeinput',
    (event) => {
      const target = apply(targetOf, event, []);
      if (!isA(0, target) && !isA(1, target)) apply(preventDefault, event, []);
    },
    true,
  );
  fix(RegExp.prototype, 'test', test);
  for (const name of ['exec', Symbol.match, Symbol.replace]) fix(RegExp.prototype, name, RegExp.prototype[name]);
  fix(String.prototype, 'slice', String.prototype.slice);
  fix(String.prototype, 'lastIndexOf', String.prototype.lastIndexOf);
})();
`;
