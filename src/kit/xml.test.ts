import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWeinaoError } from '../base/errors/index.ts';
import { childOf, childrenOf, decodeText, findIn, LIMITS, parseXml, textOf, type XmlElement } from './xml.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string): XmlElement => parseXml(bytes(text)).root;
const codeOf = (text: string): string => {
  try {
    parseXml(bytes(text));
    return 'none';
  } catch (error) {
    if (!isWeinaoError(error)) throw error;
    return error.code;
  }
};
const attribute = (text: string, name: string): string | undefined => parse(text).attributes.get(name);

describe('what devices write', () => {
  it.each([
    ['quotes', '<a v="1 2"/>', '1 2'],
    ['single quotes', "<a v='1'/>", '1'],
    ['no quotes', '<a v=12 w=3/>', '12'],
    ['no blank between attributes', '<a v="1"w="2"/>', '1'],
    ['no value', '<a v w="1"></a>', ''],
    ['no quotes in an empty element', '<a w="1" v=12/>', '12'],
    ['a quote too few before it', '<a t="x xmlns:b="http://b/c" v="1"/>', '1'],
    ['a prefix on the attribute', '<a x:v="1"/>', '1'],
    ['entities and character references', '<a v="&lt;&amp;&#20013;&#x6587;"/>', '<&中文'],
    ['a bare ampersand', '<a v="fish & chips &bad; &constructor;"/>', 'fish & chips &bad; &constructor;'],
    ['the same attribute twice', '<a v="1" v="2"/>', '1'],
    ['names of an object', '<a hasownproperty="" __proto__="1" constructor="2" v="3"/>', '3'],
    ['something before it', 'HTTP rest\r\n<a v="1"/>', '1'],
    ['a declaration and a comment', '<?xml version="1.0" encoding="gb2312"?><!-- <!x> --><a v="1"/>', '1'],
  ])('%s', (_, text, value) => expect(attribute(text, 'v')).toBe(value));

  it('resolves prefixes where they stand', () => {
    const root = parse('<x:a xmlns:x="urn:1"><b xmlns="urn:2"><x:c xmlns:x="urn:3"/><x:d/></b><y:e/></x:a>');
    expect(root.uri).toBe('urn:1');
    const b = childOf(root, 'b');
    expect([b?.uri, findIn(root, 'c')?.uri, findIn(root, 'd')?.uri]).toEqual(['urn:2', 'urn:3', 'urn:1']);
    expect(childOf(root, 'e')?.uri).toBeUndefined();
    expect(findIn(root, 'd')?.namespace('x')).toBe('urn:1');
  });

  it('knows where elements end that have no quotes', () => {
    const root = parse('<a><b><i n=x v=true/><i n=y v=a/b/><j/>t</b><c n=z/><d/></a>');
    const items = childrenOf(childOf(root, 'b'), 'i').map(({ attributes }) => [...attributes.values()]);
    expect(items).toEqual([
      ['x', 'true'],
      ['y', 'a/b'],
    ]);
    expect([childOf(root, 'b')?.text, ...root.children.map((c) => c.name)]).toEqual(['t', 'b', 'c', 'd']);
    expect(root.isClosed).toBe(true);
    const many = parse(`<a>${'<i v=1/>'.repeat(1500)}</a>`);
    expect(many.children).toHaveLength(1500);
  });

  it('takes text in pieces and CDATA as one', () => {
    expect(textOf(parse('<a><b> 1<!-- no -->2<![CDATA[<3>]]>&gt; </b></a>'), 'b')).toBe('12<3>>');
  });

  it('reads GBK where it says UTF-8, and something of what is neither', () => {
    const gbk = Uint8Array.of(
      ...bytes('<?xml version="1.0" encoding="UTF-8"?><a v="'),
      0xb6,
      0xab,
      0xc3,
      0xc5,
      ...bytes('"/>'),
    );
    expect(parseXml(gbk).root.attributes.get('v')).toBe('东门');
    expect(decodeText(Uint8Array.of(0x41, 0xff, 0xff, 0x42))).toBe('A\ufffd\ufffdB');
    expect(decodeText(Uint8Array.of(0xff, 0xfe, 0x3c, 0, 0x2d, 0x4e))).toBe('<中');
  });

  it('gives what came whole of a document that broke off, in a character or in a tag', () => {
    for (const cut of [
      '<a><b v="1"/><c>中',
      '<a><b v="1"></b><c v="',
      '<a><b v="1"/></x><c/></a>',
      '<a><b v="1"/><c><',
    ]) {
      const { root, isWhole } = parseXml(bytes(cut));
      expect(isWhole).toBe(false);
      expect(childOf(root, 'b')?.isClosed).toBe(true);
      expect(root.isClosed).toBe(false);
      expect(childOf(root, 'c')?.isClosed ?? false).toBe(false);
    }
    const half = bytes('<a><b/>中');
    expect(childOf(parseXml(half.subarray(0, half.length - 1)).root, 'b')?.isClosed).toBe(true);
  });

  it('reads the first part of a MIME message, whatever its header and what is behind it look like', () => {
    const head = '\r\n--b+1\r\nContent-ID: <http://tempuri.org/0>\r\nContent-Type: application/xop+xml\r\n\r\n';
    const behind = Buffer.from('\r\n--b+1\r\nContent-Type: image/jpeg\r\n\r\n\u0000<!x<a>\r\n--b+1--', 'latin1');
    const whole = Buffer.concat([Buffer.from(`${head}<a>门</a>`), behind, Buffer.of(0xff, 0xd9)]);
    expect(parseXml(whole)).toMatchObject({ root: { name: 'a', text: '门' }, isWhole: true });
    expect(parseXml(Buffer.from(`${head.replaceAll('\r', '')}<a>1</a>`))).toMatchObject({ root: { text: '1' } });
    expect(() => parseXml(Buffer.from('--b'))).toThrow('no XML');
    expect(() => parseXml(Buffer.from('--\n\n'))).toThrow('no XML');
  });

  it('reads UTF-16 of both orders', () => {
    const little = Buffer.from('\ufeff<a>门</a>', 'utf16le');
    for (const bytes of [little, Buffer.from(little).swap16()]) expect(parseXml(bytes).root.text).toBe('门');
  });

  it('ends with its root', () => {
    expect(parseXml(bytes('<a/>\u0000\u0000<!DOCTYPE'.slice(0, 6))).isWhole).toBe(true);
  });
});

describe('what is refused', () => {
  it.each([
    ['a DOCTYPE', '<!DOCTYPE a><a/>', 'xml.declaration'],
    ['entities', '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]><a>&z;</a>', 'xml.declaration'],
    ['an entity of a file', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 'xml.declaration'],
    ['a declaration behind a comment', '<!-- -->\n<!ELEMENT a ANY><a/>', 'xml.declaration'],
    ['a declaration that never ends', `<!${'x'.repeat(500_000)}`, 'xml.declaration'],
    ['nothing', '', 'xml.broken'],
    ['a text', 'Unauthorized', 'xml.broken'],
    ['deep nesting', '<a>'.repeat(41), 'xml.limit'],
    ['very deep nesting', '<a>'.repeat(300_000), 'xml.limit'],
    ['many elements', `<a>${'<b/>'.repeat(20_001)}</a>`, 'xml.limit'],
    ['many attributes', `<a ${Array.from({ length: 65 }, (_, i) => `a${i}="1"`).join(' ')}/>`, 'xml.limit'],
    ['a long attribute', `<a v="${'x'.repeat(70_000)}"/>`, 'xml.limit'],
    ['a long text', `<a>${'x'.repeat(70_000)}</a>`, 'xml.limit'],
    ['too many bytes', `<a>${'<b>x</b>'.repeat(140_000)}</a>`, 'xml.limit'],
  ])('%s', (_, text, code) => expect(codeOf(text)).toBe(code));

  it.each([
    ['closing tags without end', `<a>${'</b>'.repeat(200_000)}`],
    ['comments that go wrong', `<a><!-- ${'--x'.repeat(300_000)}`],
    ['ampersands', `<a v="${'&'.repeat(60_000)}"/>`],
    ['a name without end', `<${'a'.repeat(1_000_000)}`],
    ['an entity without end', `<a>&${'a'.repeat(1_000_000)}`],
    ['attributes without values', `<a ${'v '.repeat(400_000)}`],
    ['angles', '<'.repeat(1_000_000)],
  ])('costs no more than its length: %s', (_, text) =>
    expect(codeOf(text.slice(0, LIMITS.bytes))).toMatch(/none|xml\./),
  );
});

it('never throws anything else, and takes nothing from bytes that are not there', () => {
  const word = fc.string({
    unit: fc.constantFrom(...'<>/="\'&;:!-[]?ab \n#x0C'.split(''), 'xmlns', '中'),
    maxLength: 60,
  });
  fc.assert(
    fc.property(fc.oneof(word, fc.uint8Array({ maxLength: 80 })), (input) => {
      try {
        const { root } = parseXml(typeof input === 'string' ? bytes(input) : input);
        expect(typeof root.name).toBe('string');
      } catch (error) {
        expect(isWeinaoError(error)).toBe(true);
      }
    }),
    { numRuns: 5000 },
  );
});
