import { describe, expect, it } from 'vitest';
import {
  argumentsAgain,
  ArgumentsError,
  assertAccepted,
  isArguments,
  parseArguments,
  type Start,
} from '../../app/arguments.ts';

describe('the command line', () => {
  it.each([
    [[], { importFile: null, demo: false, background: false }],
    [['--demo'], { importFile: null, demo: true, background: false }],
    [['--import', 'cache.json'], { importFile: '/home/ada/cache.json', demo: false, background: false }],
    [['--import=../cache.json'], { importFile: '/home/cache.json', demo: false, background: false }],
    [['--import', '/tmp/a b.json', '--demo'], { importFile: '/tmp/a b.json', demo: true, background: false }],
    [['--background'], { importFile: null, demo: false, background: true }],
    // The app registers no link of its own, so one is a word like any other.
    [['tokenkeep://import?file=/etc/passwd'], { importFile: null, demo: false, background: false }],
    [['--import', '-'], { importFile: '/home/ada/-', demo: false, background: false }],
    // Chromium's, the desktop's, and what a start adds of its own.
    [
      ['--no-zygote', '--lang=de', '--inspect=0', '%U', '--demo-mode'],
      { importFile: null, demo: false, background: false },
    ],
  ])('%j', (args, expected) => {
    expect(parseArguments(args, '/home/ada')).toEqual(expected);
  });

  it.each([
    [['--import'], 'needs a file'],
    [['--import='], 'needs a file'],
    [['--import', '--demo'], 'needs a file'],
    [['--import', 'a', '--import', 'b'], 'one file at a time'],
    [['--demo=yes'], 'takes no value'],
  ])('%j is refused', (args, sentence) => {
    expect(() => parseArguments(args, '/')).toThrow(ArgumentsError);
    expect(() => parseArguments(args, '/')).toThrow(sentence);
  });
});

describe('what a second start hands over', () => {
  it('is accepted if it has the right shape', () => {
    expect(isArguments({ importFile: '/a', demo: false, background: false })).toBe(true);
    expect(isArguments({ importFile: null, demo: true, background: false })).toBe(true);
  });

  it.each([
    null,
    undefined,
    'x',
    {},
    { importFile: 1, demo: true, background: false },
    { importFile: null },
    { demo: true, background: false },
    { importFile: 'relative', demo: false, background: false },
    { importFile: '', demo: false, background: false },
    { importFile: '/a\0b', demo: false, background: false },
    { importFile: `/${'a'.repeat(100_000)}`, demo: false, background: false },
  ])('and not when it is %j', (value) => {
    expect(isArguments(value)).toBe(false);
  });
});

describe('what a packaged app refuses', () => {
  const accepts = (args: readonly string[], more: Partial<Start> = {}) => {
    try {
      assertAccepted({ args, env: {}, platform: 'linux', development: false, ...more });
      return null;
    } catch (error) {
      return error instanceof ArgumentsError ? error.message : error;
    }
  };

  it.each([
    [['--demo']],
    [['--import', '/home/ada/cache.json']],
    [['--import=/home/ada/--cache.json']],
    [['--user-data-dir=/tmp/x', '--ozone-platform=wayland', '--force-device-scale-factor=1.5']],
    [['--enable-features=UseOzonePlatform,WaylandWindowDecorations']],
    [['--disable-gpu', '--lang=de-AT', 'word', '-']],
    [['--', '--ignore-certificate-errors']],
  ])('takes %j', (args) => {
    expect(accepts(args)).toBeNull();
  });

  it('says where --no-sandbox comes from in an AppImage', () => {
    expect(accepts(['--no-sandbox'])).toContain('the AppImage did');
    expect(accepts(['--inspect'])).not.toContain('AppImage');
  });

  it.each([
    '--ignore-certificate-errors',
    '-ignore-certificate-errors',
    '--ignore-certificate-errors-spki-list=x',
    '--host-resolver-rules=MAP * 127.0.0.1',
    '--host-rules=MAP * 127.0.0.1',
    '--log-net-log=/tmp/x',
    '--net-log-capture-mode=Everything',
    '--ssl-key-log-file=/tmp/x',
    '--remote-debugging-port=9222',
    '--remote-debugging-port=0',
    '--remote-debugging-pipe',
    '--remote-debugging-address=0.0.0.0',
    '--remote-allow-origins=*',
    '--inspect',
    '--inspect=0',
    '--inspect-brk',
    '--js-flags=--allow-natives-syntax',
    '--proxy-server=evil.example:1',
    '--proxy-pac-url=http://evil.example/',
    '--no-sandbox',
    '--disable-web-security',
    '--disable-site-isolation-trials',
    '--allow-running-insecure-content',
    '--test-type',
    '--load-extension=/tmp/x',
    '--renderer-cmd-prefix=gdb',
    '--gpu-launcher=gdb',
    '--utility-cmd-prefix=gdb',
    '--enable-logging',
    '--log-file=/tmp/x',
    '--trace-startup',
    '--enable-features=NetworkServiceInProcess',
    '--enable-features=UseOzonePlatform,X',
    '--disable-features=ElectronSerialChooser',
    '--blink-settings=dnsPrefetchingEnabled=true',
    '--enable-blink-features=X',
    '--force-webrtc-ip-handling-policy=default',
    '--unsafely-treat-insecure-origin-as-secure=http://x',
    '--auth-server-allowlist=*',
    '--disable-gpu=x',
    '--force-device-scale-factor=1;x',
    '--crash-dumps-dir=/tmp/x',
    '--app=/tmp/x',
    '--a-switch-of-tomorrow',
  ])('refuses %s, and says so by name', (arg) => {
    expect(accepts(['--demo', arg])).toContain(arg.split('=')[0]);
    expect(accepts([arg])).not.toContain('MAP');
    // Chromium leaves out white space before it looks for a switch.
    for (const space of [' ', '\t', '\n', '\v', '\f', '\r', ' \t ', '\u00a0', '\ufeff', '\u3000'])
      expect(accepts([`${space}${arg}${space}`])).toContain(arg.split('=')[0]);
    // To Chromium, these do not end the switches on every system.
    for (const end of [' --', '-- ', '\u00a0--', '-', '---', '']) expect(accepts([end, arg])).not.toBeNull();
  });

  it.each([
    'SSLKEYLOGFILE',
    'ELECTRON_RUN_AS_NODE',
    'ELECTRON_ENABLE_LOGGING',
    'ELECTRON_LOG_FILE',
    'ELECTRON_A_VARIABLE_OF_TOMORROW',
    'NODE_TLS_REJECT_UNAUTHORIZED',
    'NODE_PATH',
    'NODE_DEBUG',
    'NODE_V8_COVERAGE',
    'CHROME_LOG_FILE',
    'CHROME_DEVEL_SANDBOX',
    'OPENSSL_CONF',
    'UV_THREADPOOL_SIZE',
    'NSS_SSL_ENABLE_RENEGOTIATION',
    'GTK_PATH',
    'GTK_EXE_PREFIX',
    'GIO_EXTRA_MODULES',
    'LD_PRELOAD',
    'DYLD_INSERT_LIBRARIES',
  ])('refuses the variable %s', (name) => {
    expect(accepts([], { env: { PATH: '/bin', [name]: 'secret-value' } })).toContain(name);
    expect(accepts([], { env: { [name]: 'secret-value' } })).not.toContain('secret-value');
    expect(accepts([], { env: { [name]: '' } })).toBeNull();
  });

  it.each([
    ['GTK_MODULES', '/tmp/x.so'],
    ['GTK_MODULES', 'gail:/tmp/x.so'],
    ['GTK3_MODULES', '../../tmp/x'],
    ['GTK_PATH', '/tmp/x'],
    ['GTK_PATH', '/snap/app/1/gtk:/home/ada/x'],
    ['GTK_PATH', '/usr/../home/ada/x'],
    ['GTK_PATH', '/usr/lib/.'],
    ['GTK_PATH', '/usrlocal/x'],
    ['GTK_PATH', 'usr/lib'],
    ['GIO_MODULE_DIR', '/home/ada/snap/x'],
    ['GIO_MODULE_DIR', '/dev/shm'],
    ['GIO_EXTRA_MODULES', '/usr/lib/gio/modules'],
    ['GTK_EXE_PREFIX', '/usr'],
    ['GTK_PATH', '/var/lib/php/sessions'],
    ['GIO_MODULE_DIR', '/run/user/1000/x'],
    ['GTK_IM_MODULE_FILE', '/home/ada/immodules.cache'],
    ['GDK_PIXBUF_MODULE_FILE', '/var/tmp/loaders.cache'],
    ['GDK_PIXBUF_MODULEDIR', 'loaders'],
    ['GCONV_PATH', '.'],
    ['LIBGL_DRIVERS_PATH', '/home/ada/dri'],
    ['LIBVA_DRIVERS_PATH', '/tmp'],
    ['__EGL_VENDOR_LIBRARY_FILENAMES', '/tmp/vendor.json'],
    ['VK_ICD_FILENAMES', '/usr/share/vulkan/a.json:/tmp/b.json'],
    ['VK_LAYER_PATH', '/usr/share/vulkan/explicit_layer.d'],
    ['VK_INSTANCE_LAYERS', 'x'],
  ])('refuses %s=%s, which loads a library into the main process', (name, value) => {
    expect(accepts([], { env: { [name]: value } })).toContain(name);
  });

  it('takes the folders that the system or a snap names for libraries', () => {
    const env = {
      GTK_PATH: '/snap/code/172/usr/lib/x86_64-linux-gnu/gtk-3.0:/usr/lib/gtk-3.0/',
      GIO_MODULE_DIR: '/nix/store/abc-glib/lib/gio/modules',
      LIBGL_DRIVERS_PATH: '/run/opengl-driver/lib/dri',
      VK_ICD_FILENAMES: '/usr/share/vulkan/icd.d/nvidia_icd.json',
      GTK_MODULES: 'gail:atk-bridge:appmenu-gtk-module:unity-gtk-module',
    };
    expect(accepts([], { env })).toBeNull();
  });

  it('takes a usual environment', () => {
    const env = {
      PATH: '/bin',
      HOME: '/home/ada',
      LANG: 'de_AT.UTF-8',
      DISPLAY: ':0',
      NODE_ENV: 'production',
      // Inert by a fuse, or read by nothing in the app: test/packaged/switches.spec.ts.
      NODE_OPTIONS: '--require=/tmp/x.js',
      NODE_EXTRA_CA_CERTS: '/etc/ssl/company.pem',
      SSL_CERT_FILE: '/etc/ssl/company.pem',
      CHROME_DESKTOP: 'tokenkeep.desktop',
      ELECTRON_OZONE_PLATFORM_HINT: 'auto',
      GTK_MODULES: 'gail:atk-bridge',
      https_proxy: 'http://proxy.example:3128',
      TMPDIR: '/tmp',
      LD_LIBRARY_PATH: '/tmp/.mount_x/usr/lib', // docs/threat-model.md says so
      NODENV_ROOT: '/home/ada/.nodenv',
    };
    expect(accepts([], { env })).toBeNull();
  });

  it('recognizes the switches of the other systems', () => {
    expect(accepts(['/ignore-certificate-errors'], { platform: 'win32' })).toContain(
      '/ignore-certificate-errors',
    );
    expect(accepts(['--REMOTE-DEBUGGING-PORT=1'], { platform: 'win32' })).not.toBeNull();
    expect(accepts(['--DEMO'], { platform: 'win32' })).toBeNull();
    expect(accepts(['/home/ada/file'], { platform: 'linux' })).toBeNull();
    expect(accepts(['-psn_0_12345', '-AppleLanguages', '(de)'], { platform: 'darwin' })).toBeNull();
    expect(accepts(['-psn_0_12345'], { platform: 'linux' })).not.toBeNull();
    expect(accepts([], { platform: 'win32', env: { node_debug: 'x' } })).not.toBeNull();
  });

  it('lets tests of a development build come in by a port that Chromium chooses, and by no other', () => {
    expect(accepts(['--remote-debugging-port=0', '--inspect=0'], { development: true })).toBeNull();
    expect(accepts(['--remote-debugging-port=9222'], { development: true })).not.toBeNull();
    expect(accepts(['--ignore-certificate-errors'], { development: true })).not.toBeNull();
  });
});

it('a restart imports no file again and shows its window, and is started alike otherwise', () => {
  const args = ['main.cjs', '--import', 'a.json', '--lang=de', '--background', '--user-data-dir', '/data'];
  expect(argumentsAgain(args)).toEqual(['main.cjs', '--lang=de', '--user-data-dir', '/data']);
  expect(argumentsAgain(['--import=/tmp/a b.json', '--demo'])).toEqual(['--demo']);
  expect(argumentsAgain([])).toEqual([]);
});
